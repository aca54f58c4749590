/* A gettext catalogue: [{ context, id, plural, forms, fuzzy }]. */

const TEXT = /^(?:(msgctxt|msgid_plural|msgid|msgstr)(?:\[(\d+)\])? )?"((?:[^"\\]|\\.)*)"$/;
const ESCAPES = { n: '\n', t: '\t' };

export function parse(text) {
	const messages = [];
	let message = {}, place;
	for (const line of text.split('\n')) {
		const [ , keyword, form, raw ] = line.match(TEXT) ?? [];
		if (raw === undefined) {
			if (!line.trim())
				message = {};
			else if (line.startsWith('#,'))
				message.fuzzy = line.includes('fuzzy');
			continue;
		}
		if (keyword)
			place = keyword === 'msgstr' ? `form${form ?? 0}` : keyword;
		if (keyword === 'msgid')
			messages.push(message);
		message[place] = (message[place] ?? '') + raw.replace(/\\(.)/g, (_, sign) => ESCAPES[sign] ?? sign);
	}
	return messages.map(found => ({
		context: found.msgctxt ?? null, id: found.msgid, plural: found.msgid_plural ?? null, fuzzy: !!found.fuzzy,
		forms: Object.keys(found).filter(key => /^form\d$/.test(key)).sort().map(key => found[key])
	}));
}

/* What LuCI's String.format replaces, in order. */
export function placeholders(text) {
	return text.match(/%%|%\{[^}]*\}|%(?:'.|0| )?-?\d*(?:\.\d+)?[bcdfhjmoqstuxX]/g) ?? [];
}
