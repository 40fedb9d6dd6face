'use strict';

// A sequence diagram of what was done for a session: the client, the balancer if there is one, each
// instance, and the store. Everything is text until it is shown as text.

const SVG = 'http://www.w3.org/2000/svg';
const MOST = 80;
const ROW = 26;
const LANE = 190;
const TOP = 46;

const draw = (name, attributes, text) => {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
};

const short = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

// What a step is about, in a few words.
const label = (step) => {
  if (step.what === 'answered') return `HTTP ${step.name}`;
  if (step.what === 'rang' || step.what === 'heard') return `bell: ${step.name}`;
  if (step.what !== 'received' && step.what !== 'sent') return step.name;
  const id = step.id === undefined ? '' : ` #${step.id}`;
  return `${step.name}${about(step)}${id}`;
};

// The tool, prompt or resource, where its owner looks.
const about = (step) => {
  if (step.kind !== 'request') return '';
  try {
    const { name, uri } = JSON.parse(step.contents ?? 'null') ?? {};
    return typeof (name ?? uri) === 'string' ? ` ${name ?? uri}` : '';
  } catch {
    return '';
  }
};

const sentence = (step, storeName) => {
  const size = step.bytes === undefined ? '' : `, ${step.bytes} bytes`;
  const by = step.proxied ? ' through a balancer' : '';
  switch (step.what) {
    case 'received': return `The client sent ${step.kind} ${label(step)}${by} to ${step.on}${size}.`;
    case 'sent': return `${step.on} sent the client ${step.kind} ${label(step)}${size}.`;
    case 'answered': return `${step.on} answered with HTTP status ${step.name}.`;
    case 'asked': return `${step.on} asked ${storeName}: ${step.name}.`;
    case 'rang': return `${step.on} rang a bell by ${storeName}: ${step.name}.`;
    case 'heard': return `${step.on} heard a bell: ${step.name}.`;
    default: return `${step.on} did more than could be told: ${step.name}.`;
  }
};

// A 200 whose message follows says nothing that the message does not.
const isShown = (step) => step.what !== 'answered' || !step.name.startsWith('2') || step.name === '202';

const diagram = (all, storeName) => {
  const steps = all.filter(isShown).slice(-MOST);
  const instances = [...new Set(steps.map((step) => step.on))].sort();
  const proxied = steps.some((step) => step.proxied);
  const lanes = ['Client', ...(proxied ? ['Balancer'] : []), ...instances, storeName];
  const x = (lane) => LANE / 2 + lanes.indexOf(lane) * LANE;
  const width = lanes.length * LANE;
  const height = TOP + 20 + steps.length * ROW;
  const root = draw('svg', {
    width, height, viewBox: `0 0 ${width} ${height}`, role: 'img',
    'aria-label': `${steps.length} steps at ${instances.length} instances: ${instances.join(', ')}`,
  });
  for (const lane of lanes) {
    const kind = lane === 'Client' ? 'client' : lane === storeName ? 'store' : 'instance';
    root.append(
      draw('line', { x1: x(lane), y1: 34, x2: x(lane), y2: height, class: 'lane' }),
      draw('rect', { x: x(lane) - 88, y: 6, width: 176, height: 28, rx: 6, class: 'head', 'data-lane': kind }),
      draw('text', { x: x(lane), y: 24, 'text-anchor': 'middle' }, short(lane, 26)),
    );
  }
  const first = steps[0]?.at ?? 0;
  steps.forEach((step, row) => {
    const y = TOP + 14 + row * ROW;
    const store = ['asked', 'rang', 'heard'].includes(step.what);
    const kind = store ? 'store' : 'client';
    const inward = ['received', 'heard'].includes(step.what);
    const [from, to] = store
      ? (inward ? [storeName, step.on] : [step.on, storeName])
      : (inward ? ['Client', step.on] : [step.on, 'Client']);
    const [start, end] = [x(from), x(to)];
    const ahead = Math.sign(end - start);
    const back = ['sent', 'answered'].includes(step.what) ? ' back' : '';
    root.append(
      draw('path', { d: `M${start} ${y}H${end - ahead * 6}`, class: `arrow ${kind}${back}` }),
      draw('path', { d: `M${end} ${y}l${-ahead * 8} -4v8z`, class: `tip ${kind}` }),
    );
    // It stands beside the instance, on the side that the arrow is on.
    const beside = x(step.on) + (store ? 8 : -8);
    const text = `${label(step)} · +${step.at - first} ms`;
    root.append(draw('text', {
      x: beside, y: y - 4, 'text-anchor': store ? 'start' : 'end', 'data-what': step.what,
    }, short(text, 60)));
  });
  return root;
};
