import { everywhere } from './everywhere.js';

everywhere('wansplit/rules');
