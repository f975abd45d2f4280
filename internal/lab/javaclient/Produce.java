import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** A producer as applications have it, for tests: it numbers its messages by key, and says what became of each. */
public class Produce {
    static final Object OUT = new Object();
    static volatile boolean ended;

    static void say(String line) {
        synchronized (OUT) {
            System.out.println(line);
            System.out.flush();
        }
    }

    static void acked(String key, int n, SendResult r, long took) {
        say("ack " + key + " " + n + " " + took + " " + r.getSendStatus());
    }

    static void failed(String key, int n, Throwable why) {
        say("err " + key + " " + n + " " + String.valueOf(why).replace('\n', ' '));
    }

    static Message message(String topic, String key, int n) {
        Message m = new Message(topic, "tag" + n % 3, key + "-" + n, (key + " " + n).getBytes());
        m.putUserProperty("number", String.valueOf(n));
        return m;
    }

    /** Decides on transactions by their numbers: at once, against, or when the broker asks. */
    static class Decider implements TransactionListener {
        public LocalTransactionState executeLocalTransaction(Message m, Object number) {
            switch ((Integer) number % 3) {
                case 0: return LocalTransactionState.COMMIT_MESSAGE;
                case 1: return LocalTransactionState.ROLLBACK_MESSAGE;
                default: return LocalTransactionState.UNKNOW;
            }
        }

        public LocalTransactionState checkLocalTransaction(MessageExt m) {
            say("check " + new String(m.getBody()));
            return LocalTransactionState.COMMIT_MESSAGE;
        }
    }

    static void send(DefaultMQProducer p, String kind, String topic, String key, int n, Semaphore underWay) throws Exception {
        Message m = message(topic, key, n);
        long begin = System.currentTimeMillis();
        switch (kind) {
            case "async":
                underWay.acquire();
                p.send(m, new SendCallback() {
                    public void onSuccess(SendResult r) {
                        underWay.release();
                        acked(key, n, r, System.currentTimeMillis() - begin);
                    }

                    public void onException(Throwable e) {
                        underWay.release();
                        failed(key, n, e);
                    }
                });
                return;
            case "oneway":
                p.sendOneway(m);
                say("ack " + key + " " + n + " 0 ONEWAY");
                return;
            case "ordered":
                acked(key, n, p.send(m, (queues, it, by) -> queues.get(Math.floorMod(by.hashCode(), queues.size())), key), System.currentTimeMillis() - begin);
                return;
            case "delayed":
                m.setDelayTimeLevel(1 + n % 2);
                acked(key, n, p.send(m), System.currentTimeMillis() - begin);
                return;
            case "transaction":
                SendResult r = p.sendMessageInTransaction(m, n);
                if (n % 3 != 1) {
                    acked(key, n, r, System.currentTimeMillis() - begin);
                }
                return;
            default:
                acked(key, n, p.send(m), System.currentTimeMillis() - begin);
        }
    }

    /** Sends so many messages in one request. */
    static void sendBatch(DefaultMQProducer p, String topic, String key, int from, int count) throws Exception {
        List<Message> all = new ArrayList<>();
        for (int n = from; n < from + count; n++) {
            all.add(message(topic, key, n));
        }
        long begin = System.currentTimeMillis();
        SendResult r = p.send(all);
        for (int n = from; n < from + count; n++) {
            acked(key, n, r, System.currentTimeMillis() - begin);
        }
    }

    static void load(DefaultMQProducer p, String kind, String topic, String key, long pause) {
        Semaphore underWay = new Semaphore(8);
        int together = kind.equals("batch") ? 5 : 1;
        for (int n = 0; !ended; n += together) {
            try {
                if (kind.equals("batch")) {
                    sendBatch(p, topic, key, n, together);
                } else {
                    send(p, kind, topic, key, n, underWay);
                }
                Thread.sleep(pause);
            } catch (Throwable e) {
                failed(key, n, e);
            }
        }
        underWay.acquireUninterruptibly(8); // what is under way is answered, or given up by the client
    }

    /** Connects to the topic's brokers before anything is sent: on a busy machine that alone can take a send's 3 seconds. */
    static void connect(DefaultMQProducer p, String topic) throws Exception {
        for (int tries = 0; tries < 10; tries++) {
            try {
                for (MessageQueue queue : p.fetchPublishMessageQueues(topic)) {
                    p.maxOffset(queue);
                }
                return;
            } catch (Exception e) { // whatever keeps failing, the sends will say
                Thread.sleep(500);
            }
        }
    }

    // names topic group instance kind prefix keys pause
    public static void main(String[] args) {
        try {
            run(args);
        } catch (Throwable e) { // threads of the client would keep the program alive
            System.out.println("trouble " + String.valueOf(e).replace('\n', ' '));
            System.exit(1);
        }
    }

    static void run(String[] args) throws Exception {
        String topic = args[1], kind = args[4], prefix = args[5];
        DefaultMQProducer p;
        if (kind.equals("transaction")) {
            TransactionMQProducer t = new TransactionMQProducer(args[2]);
            t.setTransactionListener(new Decider());
            p = t;
        } else {
            p = new DefaultMQProducer(args[2]);
        }
        p.setNamesrvAddr(args[0]);
        p.setInstanceName(args[3]);
        p.start();
        connect(p, topic);
        say("ready");
        List<Thread> threads = new ArrayList<>();
        for (int k = 0; k < Integer.parseInt(args[6]); k++) {
            String key = prefix + k;
            Thread t = new Thread(() -> load(p, kind, topic, key, Long.parseLong(args[7])));
            t.start();
            threads.add(t);
        }
        System.in.read(); // something, or the end: both end the sending
        ended = true;
        for (Thread t : threads) {
            t.join();
        }
        say("sent");
        while (System.in.read() >= 0) { // until standard input ends: it answers brokers that ask about transactions
        }
        p.shutdown();
        System.exit(0);
    }
}
