// Reads [[kind, least, most, value], …] and prints [true | sentence, …]: what the pages say of values.
// tests/luci_validation.rs compares with what the program says.

import { readFileSync } from 'node:fs';
import { load } from './setup/modules.mjs';

const validate = load('wansplit.validate');

const verdict = ([ kind, least, most, value ]) => {
	switch (kind) {
	case 'Number': return validate.number(least, most)(value);
	case 'Bits': return validate.bits(least, most)(value);
	case 'Duration': return validate.duration(least, most)(value);
	default: return validate.kinds[kind](value);
	}
};

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map(verdict)));
