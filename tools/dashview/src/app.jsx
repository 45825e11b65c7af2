// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// The page: a dashboard, laid out as Grafana does. dashview.mjs opens it with window.dashview, and reads there what was found.
import React, { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { lastValueFrom } from 'rxjs';
import { EventBusSrv, applyFieldOverrides, cacheFieldDisplayNames, createTheme, dateMath, dateTime, locationUtil, rangeUtil, transformDataFrame } from '@grafana/data';
import { ErrorBoundaryAlert, GlobalStyles, Icon, InlineLabel, LinkButton, PanelChrome, PanelContextProvider, ThemeContext, ToolbarButton } from '@grafana/ui';
import { initPluginTranslations } from '@grafana/i18n';
import { ask, interpolate, loadVariables, stats } from './query.js';
import { registryFor, withDefaults } from './registry.js';
import { Viz, approximated } from './panels.jsx';
import { measure, say } from './checks.js';

const o = window.dashview, themes = { dark: createTheme({ colors: { mode: 'dark' } }), light: createTheme({ colors: { mode: 'light' } }) }, theme = themes[o.theme];
const time = (text) => dateTime(/^\d+$/.test(text) ? +text : dateMath.parse(text));
const range = { from: time(o.from), to: time(o.to), raw: { from: o.from, to: o.to } };
if (!o.from.startsWith('now')) range.raw = { from: range.from, to: range.to };
Object.assign(o, { report: [], errors: [], stats, wanted: undefined, done: 0 });
locationUtil.initialize({ config: { appSubUrl: '' }, getVariablesUrlParams: () => ({}), getTimeRangeForUrl: () => range.raw });

const CELL = 30, GAP = 8;
const px = (h) => h * CELL + (h - 1) * GAP;

function Panel({ item, width, height }) {
  const { panel, vars, entry } = item, [state, set] = useState({}), title = interpolate(panel.title, vars);
  useEffect(() => { (async () => {
    try {
      const inter = (text) => interpolate(text, vars), fieldConfig = withDefaults(panel.fieldConfig, panel.type), shown = { options: {}, ...panel, fieldConfig };
      let data = await ask(panel, range, vars, width, o.scrape);
      if (panel.transformations?.length) data = await lastValueFrom(transformDataFrame(panel.transformations, data, { interpolate: inter }));
      const themed = Object.fromEntries(Object.entries(themes).map(([mode, theme]) => {
        const frames = applyFieldOverrides({ data, fieldConfig, fieldConfigRegistry: registryFor(fieldConfig), replaceVariables: inter, theme, timeZone: 'utc' });
        cacheFieldDisplayNames(frames);
        return [mode, { theme, frames }];
      }));
      const props = { panel: shown, frames: themed[o.theme].frames, themed, theme, range, title, interpolate: inter };
      Object.assign(entry, say(props));
      set({ props });
    } catch (e) {
      Object.assign(entry, { text: '?', flags: [{ kind: 'error', text: String(e.message ?? e) }] });
      set({ error: String(e) });
    }
    o.done++;
  })(); }, []);
  const { props, error } = state, note = approximated[panel.type] && <span style={{ fontSize: 10, opacity: 0.6 }}>approximated</span>;
  return <PanelChrome {...{ width, height, title }} description={panel.description} titleItems={note} menu={() => <div />} statusMessage={error} padding={panel.type === 'table' ? 'none' : 'md'}>
    {(w, h) => <div style={{ position: 'relative', width: w, height: h }}>
      {props && <ErrorBoundaryAlert onError={(e) => o.errors.push(`${title}: ${e}`)}><Viz {...props} width={w} height={h} /></ErrorBoundaryAlert>}</div>}
  </PanelChrome>;
}

// The panels in order of place: collapsed rows open, those that repeat once for each value.
function layOut(panels, vars) {
  const rows = [{ own: [] }], out = [];
  for (const p of [...panels].sort((a, b) => a.gridPos.y - b.gridPos.y || a.gridPos.x - b.gridPos.x)) {
    if (p.type === 'row') rows.push({ row: p, own: [...(p.panels ?? [])] });
    else rows.at(-1).own.push(p);
  }
  let y = 0;
  for (const { row, own } of rows) {
    const v = vars[row?.repeat], top = Math.min(...own.map((p) => p.gridPos.y));
    for (const value of v ? v.values : [undefined]) {
      const scoped = v ? { ...vars, [row.repeat]: { ...v, all: false, values: [value] } } : vars;
      if (row) out.push({ panel: row, vars: scoped, x: 0, y: y++, w: 24, h: 1 });
      for (const p of own) out.push({ panel: p, vars: scoped, ...p.gridPos, y: y + p.gridPos.y - top });
      if (own.length) y += Math.max(...own.map((p) => p.gridPos.y + p.gridPos.h)) - top;
    }
  }
  for (const item of out) {
    const title = interpolate(item.panel.title, item.vars);
    o.report.push(item.entry = item.panel.type === 'row' ? { row: title } : { title, type: item.panel.type });
  }
  return { items: out, bottom: y };
}

const line = { display: 'flex', alignItems: 'center', gap: 8 }, lines = { display: 'flex', gap: 8, flexWrap: 'wrap' };
const input = { ...line, height: 32, padding: '0 8px', whiteSpace: 'nowrap', border: `1px solid ${theme.components.input.borderColor}`, borderRadius: 2, background: theme.components.input.background };

const Picker = ({ def, all, values }) => <div style={{ display: 'flex' }}>
  <InlineLabel width="auto" tooltip={def.description}>{def.label || def.name}</InlineLabel>
  <div style={input}>{def.type === 'adhoc' ? <span style={{ opacity: 0.6 }}>Filter by label values</span> : all ? 'All' : values.join(' + ')}<Icon name="angle-down" /></div>
</div>;

// The titles of the links above a dashboard. Those to dashboards by tags are to what lies in the same folder.
const tagged = (d, { tags }) => o.siblings.filter((s) => s.uid !== d.uid && tags.every((t) => s.tags?.includes(t))).map((s) => s.title);
const linked = (d) => (d.links ?? []).flatMap((l) => (l.type === 'dashboards' && !l.asDropdown ? tagged(d, l) : l.title));

function Dashboard({ d, vars, items, bottom }) {
  const W = document.documentElement.clientWidth, mobile = W < 769, inner = W - 32, col = (inner - GAP * 23) / 24;
  const bar = { ...line, height: 40, padding: '0 16px', fontSize: 14, background: theme.colors.background.primary, borderBottom: `1px solid ${theme.colors.border.weak}` };
  const head = (i) => <div style={{ ...line, height: CELL, fontSize: 16, fontWeight: 500 }}><Icon name="angle-down" />{i.entry.row}</div>;
  return <div style={{ background: theme.colors.background.canvas, color: theme.colors.text.primary, minHeight: '100vh' }}>
    <div style={bar}><Icon name="bars" /> Home <Icon name="angle-right" /> Dashboards <Icon name="angle-right" /> <b>{d.title}</b></div>
    <div style={{ padding: 16 }}>
      <div style={{ ...lines, alignItems: 'flex-start', marginBottom: 16 }}>
        <div style={{ ...lines, flex: '1 1 0', minWidth: mobile ? '100%' : 300 }}>{Object.values(vars).filter((v) => !v.def.hide).map((v) => <Picker key={v.def.name} {...v} />)}</div>
        <div style={{ ...lines, justifyContent: 'flex-end' }}>
          {linked(d).map((title, i) => <LinkButton key={i} size="sm" variant="secondary" icon="external-link-alt" style={{ height: 32 }}>{title}</LinkButton>)}
          <ToolbarButton icon="clock-nine" variant="canvas">{rangeUtil.describeTimeRange(range.raw, 'utc')}</ToolbarButton>
          <ToolbarButton icon="sync" variant="canvas">{d.refresh || ''}</ToolbarButton>
        </div>
      </div>
      <div style={mobile ? { display: 'flex', flexDirection: 'column', gap: GAP } : { position: 'relative', height: bottom * (CELL + GAP) }}>{items.map((item, i) => {
        const w = mobile ? inner : item.w * col + (item.w - 1) * GAP, place = { position: 'absolute', left: item.x * (col + GAP), top: item.y * (CELL + GAP), width: w, height: px(item.h) };
        return <div key={i} className="cell" style={mobile ? {} : place}>
          {item.panel.type === 'row' ? head(item) : <Panel item={item} width={Math.floor(w)} height={px(item.h)} />}</div>;
      })}</div>
    </div>
  </div>;
}

o.measure = () => document.querySelectorAll('.cell').forEach((cell, i) => o.report[i].flags?.push(...measure(cell)));

await initPluginTranslations('grafana');
// Without the font, Chromium takes another of other width, and does not tell.
function width(font) {
  const g = Object.assign(document.createElement('canvas').getContext('2d'), { font: `40px ${font}` });
  return g.measureText('Packets by prefix 0123').width;
}
if (width('Inter, monospace') === width('monospace')) o.errors.push('the font Inter is not installed: texts have other widths than in Grafana (Debian: fonts-inter)');
const vars = await loadVariables(o.dashboard.templating?.list ?? [], range, o.vars);
const laid = layOut(o.dashboard.panels, vars);
o.wanted = laid.items.filter((i) => i.panel.type !== 'row').length;
createRoot(document.getElementById('root')).render(<ThemeContext.Provider value={theme}>
  <GlobalStyles hackNoBackdropBlur isExtensionSidebarOpen={false} />
  <PanelContextProvider value={{ eventsScope: 'dashview', eventBus: new EventBusSrv(), sync: () => 1 }}><Dashboard d={o.dashboard} vars={vars} {...laid} /></PanelContextProvider>
</ThemeContext.Provider>);
