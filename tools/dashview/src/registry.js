// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// What the configuration of a field may have. Grafana's list of it is in its application, not in a package.
import {
  FieldType, Registry, dataLinksOverrideProcessor, displayNameOverrideProcessor, identityOverrideProcessor, numberOverrideProcessor, standardTransformers,
  standardTransformersRegistry, stringOverrideProcessor, thresholdsOverrideProcessor, unitOverrideProcessor, valueMappingsOverrideProcessor,
} from '@grafana/data';

const standard = {
  displayName: displayNameOverrideProcessor, unit: unitOverrideProcessor, min: numberOverrideProcessor, max: numberOverrideProcessor, decimals: numberOverrideProcessor,
  noValue: stringOverrideProcessor, color: identityOverrideProcessor, thresholds: thresholdsOverrideProcessor, mappings: valueMappingsOverrideProcessor,
  links: dataLinksOverrideProcessor, filterable: identityOverrideProcessor,
};
const ofNumbers = ['unit', 'min', 'max', 'decimals'];

// Type of panel -> its own settings of fields, "custom", that are something by default.
const custom = {
  timeseries: {
    axisBorderShow: false, axisCenteredZero: false, axisColorMode: 'text', axisLabel: '', axisPlacement: 'auto', barAlignment: 0, barWidthFactor: 0.6, drawStyle: 'line',
    fillOpacity: 0, gradientMode: 'none', hideFrom: { legend: false, tooltip: false, viz: false }, insertNulls: false, lineInterpolation: 'linear', lineWidth: 1, pointSize: 5,
    scaleDistribution: { type: 'linear' }, showPoints: 'auto', spanNulls: false, stacking: { mode: 'none', group: 'A' }, thresholdsStyle: { mode: 'off' },
  },
  table: { align: 'auto', cellOptions: { type: 'auto' }, inspect: false },
  'state-timeline': { fillOpacity: 70, lineWidth: 0 },
};

export function withDefaults(fieldConfig, type) {
  const c = structuredClone({ defaults: {}, overrides: [], ...fieldConfig });
  c.defaults.custom = { ...custom[type], ...c.defaults.custom };
  for (const step of c.defaults.thresholds?.steps ?? []) step.value ??= -Infinity; // JSON has no infinity
  return c;
}

// The settings that a panel's configuration may have, and those that it has.
export function registryFor({ defaults, overrides }) {
  const item = (id, path, more) => ({ id, path, name: path, settings: {}, override: () => null, editor: () => null, ...more });
  const overridden = overrides.flatMap((o) => o.properties).filter(({ id }) => id.startsWith('custom.')).map(({ id }) => id.slice(7).split('.')[0]);
  return new Registry(() => [
    ...Object.entries(standard).map(([id, process]) => item(id, id, { process, shouldApply: (f) => f.type === FieldType.number || !ofNumbers.includes(id) })),
    ...[...new Set([...Object.keys(defaults.custom), ...overridden])].map((k) =>
      item('custom.' + k, k, { isCustom: true, process: identityOverrideProcessor, shouldApply: (f) => f.type !== FieldType.time || k === 'hidden' })),
  ]);
}

const transformers = new Map(Object.values(standardTransformers).map((t) => [t.id, { id: t.id, name: t.name, transformation: async () => t, editor: () => null }]));
standardTransformersRegistry.setInit(() => [...transformers.values()]);
