// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// A component for each type of panel. Each gets {panel, frames, range, width, height, theme, interpolate}.
import React, { useEffect, useMemo, useRef } from 'react';
import { FieldType, VizOrientation, cacheFieldDisplayNames, formattedValueToString, getDisplayValueAlignmentFactors, getFieldDisplayName, getFieldDisplayValues, getValueFormat } from '@grafana/data';
import { BigValue, TimeSeries, VizRepeater, preparePlotFrame } from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';

export const approximated = { heatmap: true, 'state-timeline': true };
export const isEmpty = (frames) => !frames.some((f) => f.length && f.fields.length);

const NoData = ({ panel, width, height }) =>
  <div style={{ width, height, display: 'flex', alignItems: 'center', justifyContent: 'center', textAlign: 'center', opacity: 0.65 }}>{panel.fieldConfig.defaults.noValue || 'No data'}</div>;

// The package's join loses the names of series, and with them the colors by name. Grafana's application keeps them.
function joinKeepingNames(frames, dims, range) {
  const names = frames.map((f) => f.fields.map((x) => getFieldDisplayName(x, f, frames)));
  const joined = preparePlotFrame(frames, dims, range);
  for (const f of joined?.fields ?? []) {
    const o = f.state?.origin;
    if (o) f.state = { ...f.state, displayName: names[o.frameIndex][o.fieldIndex] };
  }
  return joined;
}

function Lines({ panel, frames, range, width, height }) {
  const lines = useMemo(() => {
    cacheFieldDisplayNames(frames);
    const finite = (x) => ({
      ...x, config: { ...x.config, custom: { ...x.config.custom } }, state: { ...x.state },
      values: x.type === FieldType.number ? x.values.map((v) => (Number.isFinite(v) ? v : null)) : x.values,
    });
    return frames.filter((f) => f.length && f.fields.some((x) => x.type === FieldType.number))
      .map((f) => ({ ...f, fields: f.fields.filter((x) => x.type === FieldType.time || x.type === FieldType.number).map(finite) }));
  }, [frames]);
  return <TimeSeries preparePlotFrame={joinKeepingNames} frames={lines} structureRev={1} timeRange={range} timeZone="utc" {...{ width, height }}
    legend={panel.options.legend} options={panel.options} />;
}

export const reduced = ({ panel, frames, theme, interpolate }, sparkline) =>
  getFieldDisplayValues({
    fieldConfig: panel.fieldConfig, reduceOptions: panel.options.reduceOptions ?? { calcs: [] }, replaceVariables: interpolate, theme, data: frames, sparkline, timeZone: 'utc',
  });

function Stats(props) {
  const { panel, width, height, theme } = props, o = panel.options, values = reduced(props, o.graphMode !== 'none');
  return <VizRepeater source={panel} getValues={() => values} width={width} height={height} itemSpacing={3} renderCounter={1} autoGrid
    orientation={o.orientation ?? VizOrientation.Auto} getAlignmentFactors={getDisplayValueAlignmentFactors}
    renderValue={({ value, alignmentFactors, width, height, count }) => <BigValue value={value.display} sparkline={value.sparkline && { ...value.sparkline, timeRange: undefined }}
      textMode={(o.textMode ?? 'auto') === 'auto' && values.length === 1 ? 'value' : o.textMode} {...{ count, alignmentFactors, width, height, theme }}
      colorMode={o.colorMode} graphMode={o.graphMode} justifyMode={o.justifyMode} text={o.text} wideLayout={o.wideLayout} percentChangeColorMode={o.percentChangeColorMode} />} />;
}

export const shownFrame = (panel, frames) => frames[panel.options.frameIndex ?? 0] ?? frames[0];

function Grid({ panel, frames, range, width, height }) {
  cacheFieldDisplayNames(frames);
  const o = panel.options, f = shownFrame(panel, frames), picker = frames.length > 1 ? 36 : 0;
  if (!f.length) return <NoData {...{ panel, width, height }} />;
  return <><TableNG data={f} width={width} height={height - picker} sortBy={o.sortBy} noHeader={o.showHeader === false} cellHeight={o.cellHeight} timeRange={range}
    fieldConfig={panel.fieldConfig} structureRev={1} resizable enableVirtualization />
    {picker > 0 && <div style={{ position: 'absolute', bottom: 0, padding: 8 }}>{frames.length} tables to choose from</div>}</>;
}

// What follows is drawn here, because no package has it.
function Canvas({ draw, width, height, theme }) {
  const ref = useRef(null);
  useEffect(() => {
    const scale = devicePixelRatio || 1, g = Object.assign(ref.current, { width: width * scale, height: height * scale }).getContext('2d');
    g.scale(scale, scale);
    g.font = `12px ${theme.typography.fontFamily}`;
    draw(g);
  }, [draw, width, height]);
  return <canvas ref={ref} style={{ width, height, display: 'block' }} />;
}

const minute = 60e3, steps = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080].map((m) => m * minute);
function timeAxis(g, range, left, width, y, theme) {
  const t0 = range.from.valueOf(), span = range.to.valueOf() - t0, step = steps.find((s) => (s / span) * width > 60) ?? span;
  Object.assign(g, { fillStyle: theme.colors.text.primary, textAlign: 'center' });
  for (let t = Math.ceil(t0 / step) * step; t < t0 + span; t += step) {
    const x = left + ((t - t0) / span) * width, text = new Date(t).toISOString();
    if (x > left + 16 && x < left + width - 16) g.fillText(step < 1440 * minute ? text.slice(11, 16) : text.slice(5, 10), x, y);
  }
  return (t) => left + ((t - t0) / span) * width;
}

// The buckets of a heatmap, from the lowest, with the texts of the axis.
export function buckets(panel, frames) {
  const format = getValueFormat(panel.options.yAxis?.unit);
  const fields = frames.find((f) => f.length).fields.filter((x) => x.type === FieldType.number);
  return fields.map(({ name, values }) => ({ values, text: isFinite(name) ? formattedValueToString(format(+name)) : name }));
}
// Like the scheme Oranges, from few to many. Other schemes are drawn in it, too.
const shades = [[255, 244, 232], [254, 206, 160], [252, 140, 62], [216, 74, 4], [126, 40, 6]];
function orange(t) {
  const x = Math.min(Math.max(t, 0), 1) * 4, i = Math.min(Math.floor(x), 3);
  return `rgb(${shades[i].map((c, k) => c + (shades[i + 1][k] - c) * (x - i)).join()})`;
}

const least = (panel) => panel.options.filterValues?.le ?? 1e-9;

function Heatmap({ panel, frames, range, width, height, theme }) {
  const draw = (g) => {
    const f = frames.find((x) => x.length), rows = buckets(panel, frames), times = f.fields[0].values, o = panel.options, step = f.fields[0].config.interval;
    const max = Math.max(least(panel), ...rows.flatMap((r) => [...r.values]));
    const left = 62, legend = o.legend?.show ? 26 : 0, W = width - left, H = height - 20 - legend, h = H / rows.length;
    const color = (t) => orange(theme.isDark !== Boolean(o.color?.reverse) ? 1 - t : t);
    const x = timeAxis(g, range, left, W, H + 15, theme);
    rows.forEach((r, i) => r.values.forEach((v, k) => {
      if (!(v > least(panel))) return;
      g.fillStyle = color((v / max) ** (o.color?.exponent ?? 0.5));
      g.fillRect(x(times[k]), H - (i + 1) * h + 0.5, Math.max(x(times[k] + step) - x(times[k]) - 1, 1), h - 1);
    }));
    Object.assign(g, { fillStyle: theme.colors.text.primary, textAlign: 'right' });
    const every = Math.ceil(14 / h);
    rows.forEach((r, i) => (rows.length - 1 - i) % every || g.fillText(r.text, left - 4, Math.max(H - (i + 1) * h + 4, 11)));
    for (let k = 0; legend && k < 200; k++) { g.fillStyle = color(k / 200); g.fillRect(left + k, H + 24, 1, 8); }
  };
  return <Canvas {...{ draw, width, height, theme }} />;
}

// The states of a series, as [{from, to, display}] in milliseconds.
export function states(frame) {
  const times = frame.fields[0].values, step = frame.fields[0].config.interval ?? 0, v = frame.fields[1], out = [];
  v.values.forEach((value, k) => {
    const last = out.at(-1);
    if (last && last.value === value && times[k] - last.to <= step / 2) last.to = times[k] + step;
    else out.push({ from: times[k], to: times[k] + step, value, display: v.display(value) });
  });
  return out;
}

function States({ panel, frames, range, width, height, theme }) {
  const draw = (g) => {
    const live = frames.filter((f) => f.length), names = live.map((f) => getFieldDisplayName(f.fields[1], f, frames).trim());
    const left = Math.min(Math.max(...names.map((n) => g.measureText(n).width), 20) + 8, width / 3), W = width - left, H = height - 20;
    const row = H / live.length, h = row * (panel.options.rowHeight ?? 0.9);
    const x = timeAxis(g, range, left, W, H + 15, theme);
    live.forEach((f, i) => {
      for (const s of states(f)) {
        const from = x(s.from), to = Math.min(x(s.to), width), text = formattedValueToString(s.display);
        Object.assign(g, { fillStyle: s.display.color, globalAlpha: (panel.fieldConfig.defaults.custom?.fillOpacity ?? 70) / 100 });
        g.fillRect(from, i * row, to - from, h);
        Object.assign(g, { fillStyle: theme.colors.text.primary, globalAlpha: 1, textAlign: 'left' });
        if (h > 12 && g.measureText(text).width + 8 < to - from) g.fillText(text, from + 4, i * row + h / 2 + 4);
      }
      g.textAlign = 'right';
      if (i % Math.ceil(13 / row) === 0) g.fillText(names[i], left - 6, i * row + h / 2 + 4);
    });
  };
  return <Canvas {...{ draw, width, height, theme }} />;
}

export const kinds = { heatmap: Heatmap, stat: Stats, 'state-timeline': States, table: Grid, timeseries: Lines };

export function Viz(props) {
  const Kind = kinds[props.panel.type];
  if (!Kind) return <div>dashview has no panels of type {props.panel.type}</div>;
  return isEmpty(props.frames) && props.panel.type !== 'stat' ? <NoData {...props} /> : <Kind {...props} />;
}
