// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Variables, and the questions to Prometheus that Grafana's data source would ask.
import { createDataFrame, rangeUtil } from '@grafana/data';
import { toFrames } from './frames.js';

export const stats = { queries: 0 };

async function api(path, params) {
  const r = await fetch('/api/v1/' + path, path.startsWith('query') ? { method: 'POST', body: new URLSearchParams(params) } : {});
  const answer = await r.json();
  if (answer.status !== 'success') throw new Error(answer.error);
  return answer.data;
}

const quoted = (v) => v.replace(/["\\]/g, '\\$&');
const exactly = (v) => quoted(v.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
const formats = {
  regex: (vs) => (vs.length === 1 ? exactly(vs[0]) : `(${vs.map(exactly).join('|')})`),
  pipe: (vs) => vs.join('|'), csv: (vs) => vs.join(','), raw: (vs) => vs.join(','), text: (vs) => vs.join(' + '),
};

// Puts values in place of $name, ${name} and ${name:format}. A format given here is for those without one.
export function interpolate(text, vars, format = 'text') {
  return String(text ?? '').replace(/\$(\w+)|\$\{(\w+)(?::(\w+))?\}|\[\[(\w+)\]\]/g, (all, a, b, own, c) => {
    const v = vars[a ?? b ?? c], f = own ?? format;
    if (!v) return all;
    if (v.all && f === 'text') return 'All';
    if (v.all && v.def.allValue) return v.def.allValue;
    if (f === 'regex' && !own && !(v.def.multi || v.def.includeAll)) return v.builtIn ? v.values[0] : quoted(v.values[0] ?? '');
    return (formats[f] ?? formats.text)(v.values);
  });
}

function builtIns(range, points, least, scrape) {
  const step = Math.max(rangeUtil.calculateInterval(range, points, least + 's').intervalMs / 1000, least);
  const seconds = Math.round((range.to.valueOf() - range.from.valueOf()) / 1000);
  const rate = Math.max(step + scrape, 4 * scrape);
  const all = {
    __interval: step + 's', __interval_ms: step * 1000, __rate_interval: rate + 's', __rate_interval_ms: rate * 1000,
    __range: seconds + 's', __range_s: seconds, __range_ms: seconds * 1000, __from: range.from.valueOf(), __to: range.to.valueOf(),
  };
  return { step, vars: Object.fromEntries(Object.entries(all).map(([k, v]) => [k, { def: {}, builtIn: true, values: [String(v)] }])) };
}

// The frames of a panel, before its transformations. The interval of a query or panel stands for the scrape interval.
export async function ask(panel, range, vars, width, scrape) {
  const answers = await Promise.all((panel.targets ?? []).filter((t) => !t.hide && t.expr).map(async (target) => {
    const own = interpolate(target.interval || panel.interval, vars).replace('>', ''), least = own ? rangeUtil.intervalToMs(own) / 1000 : scrape;
    const { step, vars: more } = builtIns(range, panel.maxDataPoints || width, least, least);
    const expr = interpolate(target.expr, { ...vars, ...more }, 'regex');
    const align = (t) => Math.floor(t.valueOf() / 1000 / step) * step;
    stats.queries++;
    const data = target.instant
      ? await api('query', { query: expr, time: range.to.valueOf() / 1000 })
      : await api('query_range', { query: expr, start: align(range.from), end: align(range.to), step });
    const list = ['scalar', 'string'].includes(data.resultType) ? [{ metric: {}, value: data.result }] : data.result;
    if (list.some((s) => s.histogram || s.histograms)) throw new Error('native histograms are not supported here');
    return { target, expr, interval: target.instant ? undefined : step * 1000, series: list.map((s) => ({ metric: s.metric, values: s.values ?? [s.value] })) };
  }));
  return toFrames(answers).map((f) => createDataFrame(f));
}

async function optionsOf(v, range, vars) {
  const text = interpolate(typeof v.query === 'object' ? v.query?.query : v.query, vars, 'regex');
  if (v.type === 'custom' || v.type === 'interval') return text.split(/\s*,\s*/).map((x) => x.split(' : ').pop());
  if (v.type === 'constant' || v.type === 'textbox') return [text];
  if (v.type === 'datasource') return ['prometheus'];
  if (v.type !== 'query') return [];
  const [, match, label] = /^label_values\((?:(.*),)?\s*(\w+)\s*\)$/s.exec(text) ?? [];
  if (!label) throw new Error(`variable ${v.name}: only label_values can be asked here, not ${text}`);
  const span = { start: range.from.unix(), end: range.to.unix(), ...(match && { 'match[]': match.trim() }) };
  return (await api(`label/${label}/values?${new URLSearchParams(span)}`)).filter((x) => x !== '');
}

// What the variables are: as asked (name -> values), else as the dashboard has it, else the first.
export async function loadVariables(list, range, asked) {
  const vars = {};
  for (const v of list) {
    const regex = v.regex && new RegExp(v.regex.replace(/^\/|\/$/g, '')), every = await optionsOf(v, range, vars);
    const options = regex ? every.map((x) => regex.exec(x)).filter(Boolean).map((m) => m[1] ?? m.input) : every;
    if (v.sort) options.sort(v.sort === 3 || v.sort === 4 ? (a, b) => a - b : undefined);
    if (v.sort && v.sort % 2 === 0) options.reverse();
    const saved = asked[v.name] ?? [v.current?.value ?? []].flat();
    const all = v.includeAll && (saved[0] === '$__all' || !saved.length);
    vars[v.name] = { def: v, all, values: all ? options : saved.length ? saved : options.slice(0, 1) };
  }
  return vars;
}
