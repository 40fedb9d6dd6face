'use strict';

// Shows what /status/events tells. Everything that comes is shown as text.

const byId = (id) => document.getElementById(id);
const { path, store, session } = document.body.dataset;
const storeName = store === 'redis' ? 'Redis' : 'the store in the process';
const KEPT = 400;
const LINES = 200;

const make = (name, text, className) => {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
};

const span = (milliseconds) => {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
};

const figures = (list) => list.map(([name, value, id]) => {
  const entry = make('div');
  const data = make('dd', String(value));
  if (id) data.dataset.figure = id;
  entry.append(make('dt', name), data);
  return entry;
});

// One line of two minutes: the newest second is on the right.
const chart = (seconds, which, title) => {
  const values = seconds.map((second) => second[which]);
  const top = Math.max(1, ...values);
  const root = draw('svg', {
    class: `chart ${which === 1 ? 'errors' : 'requests'}`, viewBox: '0 0 119 40',
    preserveAspectRatio: 'none', role: 'img',
    'aria-label': `${title}: now ${values.at(-1) ?? 0}, at most ${Math.max(0, ...values)} within two minutes`,
  });
  const points = values.map((value, place) => `${place + 120 - values.length},${38 - (value / top) * 36}`);
  root.append(draw('polyline', { points: points.join(' ') }));
  return root;
};

// The figures of the second that has passed: the one that goes on is not over.
const lately = (instance, which) => instance.seconds.at(-1)?.[which] ?? 0;

const before = new Map();

const box = (instance, here) => {
  const item = make('li');
  item.dataset.instance = instance.instance;
  // It has served more than what asks for this page, as far as can be told by a second's count.
  const busy = instance.seconds.slice(-2).some(([requests]) => requests > 0);
  if (busy) item.classList.add('serves');
  const ready = instance.state === 'ready';
  const badges = make('p', undefined, 'badges');
  badges.append(
    make('span', ready ? 'ready' : instance.state, ready ? 'state-ready' : 'state-other'),
    `, ${instance.version}, up ${span(instance.at - instance.started)}`,
    ...(busy ? [', serving now'] : []),
    ...(instance.instance === here ? [', this page comes from it'] : []),
  );
  const list = make('dl', undefined, 'figures');
  list.append(...figures([
    ['sessions', instance.sessions], ['streams', instance.streams], ['calls', instance.calls],
    ['in flight', instance.requests], ['tasks', instance.tasks],
    ...(instance.round_trip === null ? [] : [['Redis', `${(instance.round_trip / 1000).toFixed(1)} ms`]]),
  ]));
  item.append(make('h3', instance.instance), badges, list);
  if (instance.store === 'redis') {
    const heard = instance.beat !== null && instance.beat < 1500;
    item.append(make('p', heard ? 'hears the bells of the others' : 'does not hear the bells of the others',
      heard ? 'caption' : 'caption warning'));
  }
  item.append(
    make('p', `${lately(instance, 0)} requests a second`, 'caption'), chart(instance.seconds, 0, 'Requests a second'),
    make('p', `${lately(instance, 1)} errors a second`, 'caption'), chart(instance.seconds, 1, 'Errors a second'),
  );
  return item;
};

const showFigures = ({ here, sessions, alone, instances }) => {
  byId('here').textContent = here;
  const sum = (of) => instances.reduce((all, instance) => all + of(instance), 0);
  byId('together').replaceChildren(...figures([
    ['instances', instances.length, 'instances'],
    ['sessions of the last 5 min', sessions, 'sessions'],
    ['streams', sum(({ streams }) => streams), 'streams'],
    ['calls', sum(({ calls }) => calls), 'calls'],
    ['in flight', sum(({ requests }) => requests), 'requests'],
    ['tasks', sum(({ tasks }) => tasks), 'tasks'],
    ['requests/s', sum((instance) => lately(instance, 0)), 'rate'],
    ['errors/s', sum((instance) => lately(instance, 1)), 'errors'],
    ['requests within 2 min', sum(({ seconds }) => seconds.reduce((all, second) => all + second[0], 0)), 'recent'],
  ]));
  byId('alone').hidden = alone === null;
  byId('alone').textContent = alone === null ? '' : `Only this instance is seen: ${alone}.`;
  byId('instances').replaceChildren(...instances.map((instance) => box(instance, here)));
};

// Made anew only when they change: the focus may be on one.
const showSessions = (list) => {
  const known = JSON.stringify(list);
  if (before.get('sessions') === known) return;
  before.set('sessions', known);
  byId('no-sessions').hidden = list.length > 0;
  byId('sessions').replaceChildren(...list.map(({ id, client, name, version }) => {
    const item = make('li');
    const link = make('a', id);
    link.href = `${path}/status?session=${encodeURIComponent(id)}`;
    if (id === session) link.setAttribute('aria-current', 'true');
    item.append(link, ` ${name ?? 'a client without a name'}${version ? `, ${version}` : ''}${client ? `, client ${client}` : ''}`);
    return item;
  }));
};

const steps = [];

const showSteps = (more) => {
  steps.push(...more);
  // By the instances' clocks: what comes from elsewhere comes a little later.
  steps.sort((one, other) => one.at - other.at || (one.on === other.on ? one.number - other.number : 0));
  steps.splice(0, steps.length - KEPT);
  byId('trace-empty').hidden = steps.length > 0;
  byId('trace-picture').replaceChildren(diagram(steps, storeName));
  byId('trace-list').replaceChildren(...steps.map((step) => {
    const item = make('li', `${new Date(step.at).toISOString().slice(11, 23)} ${sentence(step, storeName)}`);
    if (step.contents !== undefined) item.append(make('pre', step.contents));
    return item;
  }));
};

const lines = [];

const showLines = (more) => {
  lines.push(...more);
  lines.splice(0, lines.length - LINES);
  const place = byId('lines');
  const follows = place.scrollTop + place.clientHeight >= place.scrollHeight - 20;
  place.textContent = lines.join('\n');
  if (follows) place.scrollTop = place.scrollHeight;
};

const say = (text) => {
  if (byId('state').textContent !== text) byId('state').textContent = text;
};

const connect = () => {
  const query = session ? `?session=${encodeURIComponent(session)}` : '';
  const source = new EventSource(`${path}/status/events${query}`);
  const on = (name, show) => source.addEventListener(name, ({ data }) => show(JSON.parse(data)));
  source.addEventListener('open', () => {
    // The lines come again from the first that is kept, perhaps from another instance.
    lines.length = 0;
    say('Connected.');
  });
  source.addEventListener('error', () => {
    say('The connection is lost. Trying again…');
    if (source.readyState !== EventSource.CLOSED) return;
    say('The server does not let this page look any more, or is away. Open it again to sign in.');
    setTimeout(connect, 5000);
  });
  on('figures', showFigures);
  on('sessions', showSessions);
  on('steps', showSteps);
  on('lines', showLines);
  on('gone', () => say('The session has ended.'));
  on('skipped', () => say('Connected. Some steps were skipped.'));
};

connect();
