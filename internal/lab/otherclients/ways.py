"""A C++ client (librocketmq, by its Python package) that sends in every way that it has, and reads in
every way, each with a group of its own, for tests. Ways.java says what it tells and is told."""

import sys
import threading

from rocketmq.client import Message, MessageModel, Producer, PushConsumer

names, topic, prefix, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
saying = threading.Lock()


def say(line):
    with saying:
        print(line.replace("\n", " "), flush=True)


def message(way, word, n):
    m = Message(topic)
    m.set_tags("tag")
    m.set_body("%s-%s-%d" % (way, word, n))
    return m


def reads(way, orderly=False, model=MessageModel.CLUSTERING):
    c = PushConsumer(prefix + way, orderly=orderly, message_model=model)
    c.set_namesrv_addr(names)
    c.set_instance_name(prefix + way)
    c.subscribe(topic, lambda m: say("got %s %s" % (way, m.body.decode())))
    c.start()
    return c


def send(producer, way, word):
    if way == "batch":
        producer.send_batch([message(way, word, n) for n in range(count)])
        return
    for n in range(count):
        m = message(way, word, n)
        if way == "oneway":
            producer.send_oneway(m)
        elif way == "ordered":
            producer.send_orderly(m, n)
        else:
            if way == "delayed":
                m.set_delay_time_level(1)
            producer.send_sync(m)


producer = Producer(prefix + "plain", timeout=30000)
producer.set_namesrv_addr(names)
producer.start()
consumers = [
    reads("concurrent"),
    reads("orderly", orderly=True),
    reads("broadcast", model=MessageModel.BROADCASTING),
]
say("ready")
for line in sys.stdin:
    word = line.strip()
    for way in ["sync", "oneway", "batch", "ordered", "delayed"]:
        try:
            send(producer, way, word)
            say("sent %s %s %d" % (way, word, count))
        except Exception as e:  # whatever it is, the test tells it
            say("unsent %s %s %r" % (way, word, e))
    say("done " + word)
