// Writes the configurations of all cases: node make.mjs [FOLDER], default: beside this file.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cases, configuration } from './cases.mjs';

const folder = process.argv[2] ?? fileURLToPath(new URL('.', import.meta.url));

mkdirSync(folder, { recursive: true });
for (const name of Object.keys(cases))
	writeFileSync(join(folder, name + '.uci'), configuration(name));
