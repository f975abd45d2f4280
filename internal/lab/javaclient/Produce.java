import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
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

/**
 * A producer as applications have it, for tests: it numbers its messages by key, and says what became of each. Its client sends each once. An attempt
 * that fails is followed by another one of the same number, which says in its body which one it is.
 */
public class Produce {
    /** Milliseconds in which a send is answered, also on a machine that is very busy: who gets no answer then gets none. */
    static final int SEND_TIME = 120_000;

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
        String cause = why.getCause() == null ? "" : "; " + why.getCause();
        say("err " + key + " " + n + " " + (why + cause).replace('\n', ' '));
    }

    static Message message(String topic, String key, int n, int attempt) {
        String body = key + " " + n + (attempt > 0 ? " " + attempt : "");
        Message m = new Message(topic, "tag" + n % 3, key + "-" + n, body.getBytes());
        m.putUserProperty("number", String.valueOf(n));
        return m;
    }

    /**
     * Decides on transactions by their numbers, and tells what the client sends to the broker: at once, or when the broker asks. It answers what it has
     * decided, as applications do, however often it is asked.
     */
    static class Decider implements TransactionListener {
        final Map<String, LocalTransactionState> decided = new ConcurrentHashMap<>(); // by body
        final Set<String> given = ConcurrentHashMap.newKeySet(); // bodies of attempts that failed

        public LocalTransactionState executeLocalTransaction(Message m, Object number) {
            String body = new String(m.getBody());
            int rest = (Integer) number % 3;
            decided.put(body, rest == 1 ? LocalTransactionState.ROLLBACK_MESSAGE : LocalTransactionState.COMMIT_MESSAGE);
            LocalTransactionState now = rest == 2 ? LocalTransactionState.UNKNOW : decided.get(body);
            say("end once " + now + " " + body);
            return now;
        }

        public LocalTransactionState checkLocalTransaction(MessageExt m) {
            String body = new String(m.getBody());
            LocalTransactionState now = decided.get(body);
            if (now == null) { // the send isn't answered yet, or was given up: then nothing was done, nor will be
                now = given.contains(body) ? LocalTransactionState.ROLLBACK_MESSAGE : LocalTransactionState.UNKNOW;
            }
            say("end asked " + now + " " + body);
            return now;
        }
    }

    static final Decider decider = new Decider();

    static void send(DefaultMQProducer p, String kind, String topic, String key, int n, int attempt, Semaphore underWay) throws Exception {
        Message m = message(topic, key, n, attempt);
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
                try {
                    SendResult r = p.sendMessageInTransaction(m, n);
                    if (n % 3 != 1) {
                        acked(key, n, r, System.currentTimeMillis() - begin);
                    }
                } catch (Exception e) {
                    decider.given.add(new String(m.getBody()));
                    throw e;
                }
                return;
            default:
                acked(key, n, p.send(m), System.currentTimeMillis() - begin);
        }
    }

    /** Sends so many messages in one request. */
    static void sendBatch(DefaultMQProducer p, String topic, String key, int from, int attempt, int count) throws Exception {
        List<Message> all = new ArrayList<>();
        for (int n = from; n < from + count; n++) {
            all.add(message(topic, key, n, attempt));
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
        for (int n = 0, attempt = 0; !ended; rest(pause)) {
            try {
                if (kind.equals("batch")) {
                    sendBatch(p, topic, key, n, attempt, together);
                } else {
                    send(p, kind, topic, key, n, attempt, underWay);
                }
                n += together;
                attempt = 0;
            } catch (Throwable e) {
                failed(key, n, e);
                attempt++;
            }
        }
        underWay.acquireUninterruptibly(8); // what is under way is answered, or given up by the client
    }

    static void rest(long pause) {
        try {
            Thread.sleep(pause);
        } catch (InterruptedException e) {
            ended = true;
        }
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
            t.setTransactionListener(decider);
            p = t;
        } else {
            p = new DefaultMQProducer(args[2], null, kind.equals("traced"), null); // which writes traces by a producer of its own
        }
        p.setNamesrvAddr(args[0]);
        p.setInstanceName(args[3]);
        p.setSendMsgTimeout(SEND_TIME);
        p.setRetryTimesWhenSendFailed(0);
        p.setRetryTimesWhenSendAsyncFailed(0);
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
