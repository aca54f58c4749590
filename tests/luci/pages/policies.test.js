import { OF_FORMS, everywhere } from './everywhere.js';

everywhere('wansplit/policies', OF_FORMS);
