import { OF_FORMS, everywhere } from './everywhere.js';

everywhere('wansplit/setup', OF_FORMS);
