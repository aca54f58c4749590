import { OF_FORMS, everywhere } from './everywhere.js';

everywhere('wansplit/links', OF_FORMS);
