// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import test from 'node:test';
import { seriesName, toFrames } from './src/frames.js';

const answer = (refId, format, series, legendFormat = '') => ({ target: { refId, format, legendFormat }, series, interval: 15000, expr: 'up' });
const at = (le, ...values) => ({ metric: { le }, values: values.map((v, k) => [k, v]) });
const columns = (frame) => Object.fromEntries(frame.fields.map((x) => [x.name, x.values]));

test('names of series', () => {
  assert.equal(seriesName('{{ a }} of {{none}}.', { a: 'x' }), 'x of .');
  assert.equal(seriesName('', { __name__: 'up', b: '2', a: '1' }), 'up{a="1", b="2"}');
  assert.equal(seriesName('', {}, 'sum(up)'), 'sum(up)');
  assert.equal(seriesName('__auto', { a: 'x' }), undefined);
});

test('tables', () => {
  const rows = [{ metric: { a: 'x' }, values: [[1, '5']] }, { metric: { b: 'y' }, values: [[1, '+Inf']] }];
  assert.deepEqual(columns(toFrames([answer('A', 'table', rows)])[0]), { Time: [1000, 1000], a: ['x', ''], b: ['', 'y'], Value: [5, Infinity] });
  assert.deepEqual(toFrames([answer('A', 'table', rows), answer('B', 'table', [])]).map((f) => f.fields.at(-1).name), ['Value #A', 'Value #B']);
});

test('buckets', () => {
  const [frame] = toFrames([answer('A', 'heatmap', [at('+Inf', '9', '9'), at('10', '3', '2'), at('2', '1')])]);
  assert.deepEqual(columns(frame), { Time: [0, 1000], 2: [1, null], 10: [2, 2], '+Inf': [6, 7] });
});
