#!/usr/bin/env node
// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

import fs from 'node:fs';
import path from 'node:path';
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';

const usage = `dashview render DASHBOARD.json... --prometheus URL [flags]   writes a PNG of each dashboard, width and theme
dashview text   DASHBOARD.json... --prometheus URL [flags]   prints what each panel says, and flags what is suspicious

  --from, --to TIME        as in Grafana: now-3h (default), now, 2026-01-31T12:00:00Z, or milliseconds
  --var NAME=VALUE         of a variable, any number of times; $__all is all
  --width PIXELS,...       default 1440; text: the first        --theme dark,light   default dark; text: the first
  --scrape SECONDS         the scrape interval in the data source's settings, default 15
  --height PIXELS          render: no more than these, from the top
  --out DIR                render: default .                    --chromium PATH      default $CHROMIUM, else the first found
  --strict                 text: status 1 if there are flags    --ignore KIND,...    text: flags not to tell of`;

function fail(message) {
  console.error('dashview: ' + message);
  process.exit(2);
}

function parse() {
  const text = (value) => ({ type: 'string', default: value });
  try {
    return parseArgs({ allowPositionals: true, options: {
      prometheus: text(), out: text('.'), width: text('1440'), theme: text('dark'), from: text('now-3h'), to: text('now'), scrape: text('15'), ignore: text(''), height: text('16000'),
      var: { type: 'string', multiple: true, default: [] }, chromium: text(process.env.CHROMIUM), strict: { type: 'boolean' }, help: { type: 'boolean', short: 'h' },
    } });
  } catch (e) { return fail(`${e.message}\n${usage}`); }
}

const { values: o, positionals: [command, ...files] } = parse();
if (o.help) { console.log(usage); process.exit(); }
if (!['render', 'text'].includes(command) || !files.length || !o.prometheus) fail('a command, a dashboard and --prometheus are needed\n' + usage);
const asked = {}, ignored = o.ignore.split(','), list = (s) => (command === 'text' ? s.split(',').slice(0, 1) : s.split(','));
for (const v of o.var) {
  const [, name, value] = /^(\w+)=(.*)$/s.exec(v) ?? fail('not NAME=VALUE: ' + v);
  (asked[name] ??= []).push(value);
}
const root = import.meta.dirname, src = path.join(root, 'src');
const found = ['chromium', 'chromium-browser', 'google-chrome'].map((n) => '/usr/bin/' + n).find((f) => fs.existsSync(f));
const executablePath = o.chromium ?? found ?? fail('no Chromium: say --chromium PATH');

// Editors and maps, which no panel here has, are left out of the page.
const leftOut = { name: 'left-out', setup(b) {
  b.onResolve({ filter: /^(monaco-editor|@monaco-editor|react-monaco-editor|ol|@grafana\/faro-web-sdk)(\/|$)/ }, (a) => ({ path: a.path, namespace: 'left-out' }));
  b.onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({ contents: 'module.exports = new Proxy({}, { get: (t, k) => (k === "__esModule" ? false : class {}) })' }));
} };

// The page is built when the sources or the packages have changed.
async function bundle() {
  const hash = createHash('sha256');
  for (const f of ['dashview.mjs', 'package.json', ...fs.readdirSync(src).sort().map((f) => 'src/' + f)]) hash.update(fs.readFileSync(path.join(root, f)));
  const cache = path.join(root, 'node_modules/.cache/dashview'), outdir = path.join(cache, hash.digest('hex').slice(0, 16));
  if (fs.existsSync(path.join(outdir, 'done'))) return outdir;
  fs.rmSync(cache, { recursive: true, force: true });
  await build({
    entryPoints: [path.join(src, 'app.jsx')], outdir, bundle: true, splitting: true, format: 'esm', jsx: 'automatic', target: 'es2022', logLevel: 'warning', plugins: [leftOut],
    loader: { '.svg': 'dataurl', '.ttf': 'empty', '.woff': 'empty', '.woff2': 'empty' }, define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
  });
  fs.writeFileSync(path.join(outdir, 'done'), '');
  return outdir;
}

// The page is opened at a host that does not exist: all that it asks for is answered here, from files or by Prometheus.
const host = 'http://dashview.invalid', types = { '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml' };
const page = `<!doctype html><meta charset=utf-8><link rel=stylesheet href=/app.css><style>body{margin:0}</style><div id=root></div>
<script>window.__grafana_public_path__="/public/"</script><script type=module src=/app.js></script>`;

const answer = (outdir) => async (route) => {
  const r = route.request(), { origin, pathname, search } = new URL(r.url()), body = r.postData() ?? undefined;
  if (origin !== host) return route.abort();
  if (pathname === '/') return route.fulfill({ contentType: 'text/html', body: page });
  if (pathname.startsWith('/api/')) {
    const headers = body ? { 'content-type': 'application/x-www-form-urlencoded' } : {};
    const a = await fetch(o.prometheus.replace(/\/$/, '') + pathname + search, { method: r.method(), body, headers }).then(async (a) => ({ status: a.status, body: await a.text() }))
      .catch((e) => ({ status: 502, body: JSON.stringify({ status: 'error', error: `${o.prometheus}: ${e.cause?.message || e.cause?.code || e.message}` }) }));
    return route.fulfill({ contentType: 'application/json', ...a }).catch(() => {}); // the page may be gone
  }
  const file = pathname.startsWith('/public/') ? path.join(root, 'node_modules/@grafana/ui/dist', pathname.replace('/build/', '/')) : path.join(outdir, pathname);
  return fs.existsSync(file) ? route.fulfill({ contentType: types[path.extname(file)], body: fs.readFileSync(file) }) : route.fulfill({ status: 404 });
};

const read = (file) => { const d = JSON.parse(fs.readFileSync(file)); return d.dashboard ?? d; };

// Draws a dashboard, and returns what the page found.
async function show(browser, handler, file, width, theme) {
  const dir = path.dirname(file), errors = [], started = Date.now();
  const siblings = fs.readdirSync(dir).filter((f) => f.endsWith('.json')).map((f) => read(path.join(dir, f))).map(({ title, uid, tags }) => ({ title, uid, tags }));
  const context = await browser.newContext({ viewport: { width, height: 900 }, deviceScaleFactor: width < 800 ? 2 : 1, timezoneId: 'UTC', locale: 'en-US' });
  await context.route('**/*', handler);
  const p = await context.newPage();
  p.on('pageerror', (e) => errors.push(e.message));
  await p.addInitScript((x) => { window.dashview = x; }, { dashboard: read(file), siblings, theme, from: o.from, to: o.to, scrape: +o.scrape, vars: asked });
  await p.goto(host);
  while (!(await p.evaluate(() => dashview.wanted !== undefined && dashview.done >= dashview.wanted))) {
    if (errors.length || Date.now() - started > 120e3) fail(`${file}: ${errors[0] ?? 'not drawn in two minutes'}`);
    await p.waitForTimeout(100);
  }
  await p.waitForTimeout(300);
  await p.setViewportSize({ width, height: Math.min(await p.evaluate(() => document.documentElement.scrollHeight), 16000) });
  await p.waitForLoadState('networkidle');
  await p.waitForTimeout(700); // for what is drawn anew at its own pace
  const result = await p.evaluate(() => { dashview.measure(); return { report: dashview.report, errors: dashview.errors, queries: dashview.stats.queries }; });
  const png = path.join(o.out, `${path.basename(file, '.json')}-${width}-${theme}.png`);
  if (command === 'render') await p.screenshot({ path: png, ...(o.height < 16000 && { clip: { x: 0, y: 0, width, height: +o.height } }) });
  await context.close();
  return { ...result, errors: [...errors, ...result.errors], png, seconds: (Date.now() - started) / 1000 };
}

const oneLine = (s) => String(s).replace(/\s+/g, ' ').trim();

function print(file, report) {
  let flags = 0;
  console.log(`# ${file}`);
  for (const e of report) {
    console.log(e.type ? `${oneLine(e.title)} [${e.type}] ${oneLine(e.text)}` : `== ${oneLine(e.row)}`);
    for (const f of (e.flags ?? []).filter((f) => !ignored.includes(f.kind))) {
      flags++;
      console.log(`    ! ${f.kind}: ${oneLine(f.text)}`);
    }
  }
  return flags;
}

const handler = answer(await bundle()), wrong = new Set();
if (command === 'render') fs.mkdirSync(o.out, { recursive: true });
const browser = await chromium.launch({ executablePath, args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), '--disable-gpu', '--disable-background-networking'] });
let flags = 0;
for (const file of files) for (const width of list(o.width)) for (const theme of list(o.theme)) {
  const r = await show(browser, handler, file, +width, theme);
  if (command === 'text') flags += print(file, r.report);
  else {
    console.log(`${r.png}: ${r.queries} queries, ${r.seconds.toFixed(1)} s`);
    for (const e of r.report) for (const f of e.flags ?? []) if (f.kind === 'error') wrong.add(`${file}: ${e.title}: ${f.text}`);
  }
  for (const e of r.errors) wrong.add(e);
}
await browser.close();
if (command === 'text') console.log(`${flags} flags`);
for (const e of wrong) console.error('dashview: ' + e);
if (wrong.size || (o.strict && flags)) process.exitCode = 1;
