// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// The type to check the dashboards against: Grafana's own, but with the options that each kind of panel has, where
// Grafana's type allows anything. .ci/dashboards runs the check.

import type {
  AnnotationQuery, Dashboard, DataSourceRef, FieldConfig, FieldConfigSource, GraphFieldConfig, Panel, RowPanel, TableFieldOptions, TableOptions,
} from '@grafana/schema';
import type { FieldConfig as HeatmapField, Options as HeatmapOptions } from '@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen';
import type { Options as StatOptions } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type { FieldConfig as StatesField, Options as StatesOptions } from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import type { Options as LinesOptions } from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

// In JSON, members of an enumeration are their texts.
type Json<T> =
  T extends string ? `${T}`
  : T extends number | boolean | null | undefined ? T
  : T extends (infer Item)[] ? Json<Item>[]
  : T extends object ? { [Key in keyof T]: Json<T[Key]> }
  : T;

// A query of Grafana's Prometheus data source. The package does not declare its type.
interface Target {
  refId: string;
  datasource: DataSourceRef;
  editorMode: 'code';
  expr: string;
  format: 'time_series' | 'table' | 'heatmap';
  instant: boolean;
  range: boolean;
  legendFormat: string;
}

type PanelOf<Kind extends string, Options, Custom> =
  { type: Kind } &
  Json<Omit<Panel, 'type' | 'options' | 'fieldConfig' | 'targets'> & {
    options: Options;
    targets: Target[];
    fieldConfig: {
      defaults: Omit<FieldConfig, 'custom'> & { custom?: Custom };
      overrides: FieldConfigSource['overrides'];
    };
  }>;

// An annotation of Grafana's Prometheus data source.
type Annotation = Json<AnnotationQuery> & { expr: string; titleFormat: string; textFormat?: string; useValueForTime: boolean };

export type ClassicDashboard = Omit<Json<Dashboard>, 'panels' | 'annotations'> & {
  annotations: { list: Annotation[] };
  panels: Array<
    | Json<RowPanel>
    | PanelOf<'timeseries', LinesOptions, GraphFieldConfig>
    | PanelOf<'stat', StatOptions, never>
    | PanelOf<'state-timeline', StatesOptions, StatesField>
    | PanelOf<'heatmap', HeatmapOptions, HeatmapField>
    | PanelOf<'table', TableOptions, TableFieldOptions>
  >;
};
