// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Makes frames, as plain objects, of Prometheus' answers, as Grafana's documentation has it for the three formats of a
// query: "Time series", "Table" and "Heatmap". A series is {metric, values: [[seconds, text], ...]}.

const numbers = { '+Inf': Infinity, '-Inf': -Infinity, NaN: NaN };
const number = (text) => numbers[text] ?? Number(text);
const timeField = (values, interval) => ({ name: 'Time', type: 'time', values, config: interval ? { interval } : {} });
const bound = (series) => number(series.metric.le ?? '+Inf');

// The name of a series: of the legend's template, else as Prometheus writes a series. Without labels, it's the query.
export function seriesName(template, metric, expr) {
  if (template === '__auto') return undefined; // then Grafana names it by the labels that differ
  if (template) return template.replace(/{{([^{}]+)}}/g, (_, label) => metric[label.trim()] ?? '');
  const { __name__: name = '', ...labels } = metric;
  const list = Object.keys(labels).sort().map((label) => `${label}="${labels[label]}"`).join(', ');
  return name + (list && `{${list}}`) || expr;
}

// A frame for each series.
function timeSeries({ refId, legendFormat }, series, interval, expr) {
  return series.map(({ metric, values }) => ({
    refId, meta: { type: 'timeseries-multi' }, length: values.length, fields: [
      timeField(values.map(([t]) => t * 1000), interval),
      { name: 'Value', type: 'number', values: values.map(([, v]) => number(v)), labels: metric, config: { displayNameFromDS: seriesName(legendFormat, metric, expr) } },
    ],
  }));
}

// A frame with a row for each sample, in order of time, and a column for each label.
function table({ refId }, series, interval, valueName) {
  const rows = series.flatMap(({ metric, values }) => values.map(([t, v]) => ({ metric, t, v }))).sort((a, b) => a.t - b.t);
  const labels = new Set(series.flatMap(({ metric }) => Object.keys(metric).sort()));
  return {
    refId, length: rows.length, meta: { preferredVisualisationType: 'table' }, fields: [
      timeField(rows.map((row) => row.t * 1000), interval),
      ...[...labels].map((name) => ({ name, type: 'string', values: rows.map((row) => row.metric[name] ?? ''), config: { filterable: true } })),
      { name: valueName, type: 'number', values: rows.map((row) => number(row.v)), config: {} },
    ],
  };
}

// For series that differ in nothing but le, a frame with a field for each bucket, in order of the bound, with what is in
// this bucket and not in those below.
function heatmaps({ refId, legendFormat }, series, interval, expr) {
  const groups = new Map(), key = ({ metric: { le, ...labels } }) => JSON.stringify(Object.entries(labels).sort());
  for (const s of series) groups.set(key(s), [...(groups.get(key(s)) ?? []), s]);
  return [...groups.values()].map((group) => {
    const times = [...new Set(group.flatMap(({ values }) => values.map(([t]) => t)))].sort((a, b) => a - b);
    const buckets = group.sort((a, b) => bound(a) - bound(b)).map(({ metric, values }) => ({ metric, at: new Map(values.map(([t, v]) => [t, number(v)])) }));
    const fields = buckets.map(({ metric, at }, i) => {
      const name = metric.le ?? seriesName(legendFormat, metric, expr), values = times.map((t) => (at.has(t) ? at.get(t) - (buckets[i - 1]?.at.get(t) ?? 0) : null));
      return { name, type: 'number', labels: metric, config: { displayNameFromDS: name }, values };
    });
    return { refId, length: times.length, meta: { type: 'heatmap-rows' }, fields: [timeField(times.map((t) => t * 1000), interval), ...fields] };
  });
}

// answers: [{target, series, interval, expr}], one for each query of a panel. Time series come first, then tables, then heatmaps.
export function toFrames(answers) {
  const of = (wanted) => answers.filter(({ target: { format } }) => (['table', 'heatmap'].includes(format) ? format : 'time_series') === wanted);
  const tables = of('table'), several = tables.length > 1, none = ({ target }) => ({ refId: target.refId, fields: [], length: 0 });
  return [
    ...of('time_series').flatMap((a) => (a.series.length ? timeSeries(a.target, a.series, a.interval, a.expr) : none(a))),
    ...tables.map((a) => (several || a.series.length ? table(a.target, a.series, a.interval, several ? `Value #${a.target.refId}` : 'Value') : none(a))),
    ...of('heatmap').flatMap((a) => heatmaps(a.target, a.series, a.interval, a.expr)),
  ];
}
