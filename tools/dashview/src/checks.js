// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// What a panel says, as a text, and what is suspicious about it, as flags {kind, text}.
import { FieldType, fieldReducers, formattedValueToString, getFieldDisplayName, getFieldSeriesColor, reduceField, sortDataFrame } from '@grafana/data';
import { buckets, isEmpty, kinds, reduced, shownFrame, states } from './panels.jsx';

const some = (list, n, between = '; ') => list.slice(0, n).join(between) + (list.length > n ? `${between}and ${list.length - n} more` : '');
const isMilli = (v) => /^\s*[mµn]([A-Za-z]+\/|[Bb]$)/.test(v.suffix ?? ''); // not ms
const calcName = (id) => (id === 'lastNotNull' ? 'last' : fieldReducers.get(id).name.toLowerCase());
const isZero = (s) => s.all.max === 0 && s.all.min === 0;

const seriesOf = (frames) => frames.flatMap((f) => f.fields.filter((x) => x.type === FieldType.number && f.length)
  .map((field) => ({ field, name: getFieldDisplayName(field, f, frames).trim() })));

function lines({ panel, frames, themed }, flag) {
  const legend = panel.options.legend?.calcs ?? [], calcs = legend.length ? legend : ['lastNotNull'];
  const list = seriesOf(frames).map((s) => {
    const all = reduceField({ field: s.field, reducers: [...calcs, 'max', 'min'] });
    return { ...s, all, shown: calcs.map((c) => s.field.display(all[c])) };
  }).sort((a, b) => b.all[calcs[0]] - a.all[calcs[0]]);
  const said = list.map((s) => `${s.name} ${s.shown.map(formattedValueToString).join(', ')}`);

  if (list.some((s) => !s.name)) flag('nameless', 'a series without a name');
  const milli = said.filter((_, i) => list[i].shown.some(isMilli)), zero = list.filter(isZero).length;
  if (milli.length) flag('milli', `thousandths in the ${legend.length ? 'legend' : 'tooltip'}: ${some(milli, 3)}`);
  if (zero > 1 && zero >= list.length / 2) flag('all-zero', `${zero} of ${list.length} series are 0 all the time`);
  for (const [mode, { theme, frames }] of Object.entries(themed)) {
    const named = new Map();
    for (const { field, name } of seriesOf(frames)) {
      const color = getFieldSeriesColor(field, theme).color + (field.config.custom?.lineStyle?.fill === 'dash' ? ' dashed' : '');
      named.set(color, [...(named.get(color) ?? []), name]);
    }
    for (const [color, names] of named) if (names.length > 1) flag('same-color', `${mode}: ${color} is ${some(names, 4, ', ')}`);
  }
  return `${list.length} series (${calcs.map(calcName).join(', ')}): ${some(said, 12)}`;
}

function stats(props, flag) {
  const values = reduced(props).map(({ display, field }) => ({ display, unit: field.unit, text: formattedValueToString(display) }));
  for (const { display, unit, text } of values) {
    if (['none', 'short', undefined].includes(unit) && /^-?\d+\.\d+$/.test(text)) flag('fraction', `a count with a fraction: ${text}`);
    if (isMilli(display)) flag('milli', `thousandths: ${text}`);
    if (!text.trim() || text === 'NaN') flag('nan', `not a number, shown as "${text}"`);
  }
  return some(values.map(({ display, text }) => (values.length > 1 ? `${display.title?.trim()}: ${text}` : text)), 12);
}

function table({ panel, frames }, flag) {
  const f = shownFrame(panel, frames), none = panel.fieldConfig.defaults.noValue, by = panel.options.sortBy?.[0];
  const columns = f.fields.map((x) => getFieldDisplayName(x, f, frames)), shown = [...columns.keys()].filter((i) => !f.fields[i].config.custom?.hidden);
  if (frames.length > 1) flag('raw-column', `${frames.length} tables to choose from: the results of the queries are not joined`);
  for (const i of shown) {
    const x = f.fields[i], values = [...x.values], milli = new Set(values.map((v) => x.display(v)).filter(isMilli).map(formattedValueToString));
    if (/^(Time|Value|Value #.*|__.*)$/.test(columns[i])) flag('raw-column', `column ${columns[i]}`);
    if (none && x.config.noValue === none && values.some((v) => v === '' || v == null)) flag('no-value-cell', `nothing in ${columns[i]} reads "${none}"`);
    if (milli.size) flag('milli', `thousandths in ${columns[i]}: ${some([...milli], 3, ', ')}`);
    if (values.some(Number.isNaN)) flag('nan', `NaN in ${columns[i]}`);
  }
  const sorted = by && columns.includes(by.displayName) ? sortDataFrame(f, columns.indexOf(by.displayName), by.desc) : f;
  const row = (k) => shown.map((i) => formattedValueToString(f.fields[i].display(sorted.fields[i].values[k]))).join(' | ');
  return `${f.length} rows: ${shown.map((i) => columns[i]).join(' | ')}; ${some([...Array(f.length).keys()].map(row), 2)}`;
}

function timeline({ frames }) {
  return some(frames.filter((f) => f.length).map((f) => {
    const texts = states(f).map((s) => formattedValueToString(s.display)), seen = [...new Set(texts)];
    return `${getFieldDisplayName(f.fields[1], f, frames).trim()}: ${texts.at(-1)}${seen.length > 1 ? ` (seen: ${seen.join(', ')})` : ''}`;
  }), 12);
}

function heat({ panel, frames }) {
  const sums = buckets(panel, frames).map(({ text, values }) => ({ text, sum: values.reduce((a, v) => a + Math.max(v, 0), 0) }));
  const total = sums.reduce((a, { sum }) => a + sum, 0) || 1;
  return `${sums.length} buckets: ${sums.map(({ text, sum }) => `${text} ${((100 * sum) / total).toFixed(1)} %`).join(', ')}`;
}

const sayers = { heatmap: heat, stat: stats, 'state-timeline': timeline, table, timeseries: lines };

// props are those of the panel, with frames for each theme: themed is {dark: {theme, frames}, light: {theme, frames}}.
export function say(props) {
  const { panel, title } = props, none = panel.fieldConfig.defaults.noValue, flags = [], flag = (kind, text) => flags.push({ kind, text });
  let text = none || 'No data';
  if (!kinds[panel.type]) flag('unsupported', text = `dashview has no panels of type ${panel.type}`);
  else if (!isEmpty(props.frames)) text = sayers[panel.type]?.(props, flag) ?? '';
  else flag(...(none ? ['no-data-told', 'no data, which the panel says in its own words'] : ['no-data', 'no data, and no words for it']));
  for (const t of [title, text]) if (/\$\{?[a-z_]\w*/i.test(t)) flag('unresolved', `a variable is not replaced: ${/\$\{?\w+\}?/.exec(t)}`);
  return { text, flags };
}

// What only the drawn panel shows.
export function measure(cell) {
  const flags = [], cut = {}, legend = cell.querySelector('[data-testid="data-testid viz-layout-legend"]'), grid = cell.querySelector('[role=grid]');
  const clipped = (e) => e.clientWidth > 4 && e.scrollWidth > e.clientWidth + 1 && e.textContent.trim() && /hidden|clip/.test(getComputedStyle(e).overflowX);
  for (const e of cell.querySelectorAll('*')) {
    if (!clipped(e) || [...e.querySelectorAll('*')].some(clipped)) continue;
    const kind = e.closest('[role=columnheader]') ? 'cut-header' : e.closest('[role=gridcell]') ? 'cut-cell' : legend?.contains(e) ? 'cut-legend' : 'cut-title';
    (cut[kind] ??= new Set()).add(e.textContent.trim());
  }
  for (const [kind, texts] of Object.entries(cut)) flags.push({ kind, text: `cut off: ${some([...texts], 3)}` });
  if (grid?.scrollWidth > grid?.clientWidth + 1) flags.push({ kind: 'wide-table', text: `the table is ${grid.scrollWidth} pixels wide, the panel ${grid.clientWidth}` });
  if (legend) {
    const [side, part] = getComputedStyle(legend.parentElement).flexDirection === 'row'
      ? ['width', legend.offsetWidth / cell.offsetWidth] : ['height', legend.offsetHeight / cell.offsetHeight];
    if (part > 0.5) flags.push({ kind: 'wide-legend', text: `the legend takes ${Math.round(100 * part)} % of the ${side}` });
  }
  return flags;
}
