'use strict';
// A Node client (ali-ons) that sends in every way that it has, and reads in every way, each with a
// group of its own, for tests. Ways.java says what it tells and is told.

const readline = require('readline');
const { Consumer, Producer, Message } = require('ali-ons');

const [names, topic, prefix, count] = [...process.argv.slice(2, 5), Number(process.argv[5])];
const say = line => process.stdout.write(line.replace(/\n/g, ' ') + '\n');
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const common = { nameSrv: names, logger: quiet, httpclient: {}, sendMsgTimeout: 30000 };

const reads = (way, more) => {
  const c = new Consumer({ ...common, consumerGroup: prefix + way, consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET', ...more });
  c.on('error', e => say(`trouble ${way} ${e}`));
  c.subscribe(topic, '*', async m => say(`got ${way} ${m.body.toString()}`));
  return c.ready();
};

const message = (way, word, n) => new Message(topic, 'tag', `${way}-${word}-${n}`);

const send = async (producer, way, word) => {
  for (let n = 0; n < count; n++) {
    const m = message(way, word, n);
    if (way === 'delayed') {
      m.delayTimeLevel = 1;
    }
    await producer.send(m);
  }
};

(async () => {
  const producer = new Producer({ ...common, producerGroup: prefix + 'plain' });
  producer.on('error', e => say(`trouble producer ${e}`));
  await producer.ready();
  await reads('concurrent', {});
  await reads('broadcast', { isBroadcast: true });
  say('ready');
  for await (const word of readline.createInterface({ input: process.stdin })) {
    for (const way of ['sync', 'delayed']) {
      try {
        await send(producer, way, word);
        say(`sent ${way} ${word} ${count}`);
      } catch (e) {
        say(`unsent ${way} ${word} ${e}`);
      }
    }
    say('done ' + word);
  }
  process.exit(0);
})().catch(e => {
  say('trouble start ' + e);
  process.exit(1);
});
