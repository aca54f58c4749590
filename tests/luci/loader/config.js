/* UCI text as rpcd's `uci get` gives it: sections with `.type`, `.name`, `.anonymous`. Enough for the configurations of the tests. */

const words = line => [ ...line.matchAll(/'([^']*)'|(\S+)/g) ].map(([ , quoted, plain ]) => quoted ?? plain);

export function parse(text) {
	const sections = [];
	for (const line of text.split('\n').filter(each => !each.trim().startsWith('#'))) {
		const [ keyword, name, value ] = words(line);
		const section = sections.at(-1);
		if (keyword === 'config')
			sections.push({
				'.type': name, '.name': value ?? `cfg${String(sections.length).padStart(2, '0')}0000`, '.anonymous': value === undefined
			});
		else if (keyword === 'option')
			section[name] = value;
		else if (keyword === 'list')
			(section[name] ??= []).push(value);
	}
	return sections;
}
