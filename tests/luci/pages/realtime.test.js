import { test } from 'node:test';
import assert from 'node:assert/strict';
import * as scenarios from '../loader/scenarios.js';
import { everywhere, looking } from './everywhere.js';

const PATH = 'wansplit/realtime';

everywhere(PATH);

test('realtime: a line for each link in each chart', () => looking(PATH, scenarios.well(), async ({ page }) => {
	assert.deepEqual(await page.locator('.ws-chart-title').allInnerTexts(), [ 'Speed down', 'Speed up', 'Answer time', 'Lost tests' ]);

	const legend = await page.locator('.ws-chart').first().locator('.ws-chart-entry').allInnerTexts();

	assert.deepEqual(legend.map(text => text.trim().split(' ')[0]), [ 'EMB', 'OI' ]);
}));
