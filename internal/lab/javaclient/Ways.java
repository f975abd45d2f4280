import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.MQPullConsumer;
import org.apache.rocketmq.client.consumer.MQPullConsumerScheduleService;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * A client that sends in every way that it has, and reads in every way, each with a group of its own, for tests. A line of its input with a word has it send
 * so many messages in each way; their bodies are way, word and number. It says what it sent, and what it got. What clients of 4.4 don't have is called by
 * its name.
 */
public class Ways {
    static final List<String> SENDS = Arrays.asList("sync", "async", "oneway", "batch", "ordered", "delayed", "transaction", "request");
    static final List<String> READS = Arrays.asList("concurrent", "orderly", "broadcast", "pull", "litepull");
    static String names, topic, prefix;
    static DefaultMQProducer plain;
    static TransactionMQProducer transactions;

    static synchronized void say(String line) {
        System.out.println(line.replace('\n', ' '));
        System.out.flush();
    }

    static Message message(String way, String word, int n) {
        return new Message(topic, "tag", (way + "-" + word + "-" + n).getBytes());
    }

    static Class<?> optional(String name) {
        try {
            return Class.forName("org.apache.rocketmq.client." + name);
        } catch (ClassNotFoundException e) {
            return null;
        }
    }

    static void got(String way, List<MessageExt> all) {
        for (MessageExt m : all) {
            say("got " + way + " " + new String(m.getBody()));
        }
    }

    /** Answers requests, of which there are none before 4.6. */
    static void answer(MessageExt m) {
        if (!new String(m.getBody()).startsWith("request-")) {
            return;
        }
        try {
            Method make = optional("utils.MessageUtil").getMethod("createReplyMessage", Message.class, byte[].class);
            plain.send((Message) make.invoke(null, m, "answer".getBytes()));
        } catch (Exception e) {
            say("trouble answer " + e + " " + e.getCause());
        }
    }

    /**
     * Waits for the answer to a request by a callback: the call that waits by itself gives up at once in 5.3.1 to 5.3.3, when the request is stored
     * (acquireCountDownLatch in DefaultMQProducerImpl).
     */
    static void request(Message m) throws Exception {
        CountDownLatch answered = new CountDownLatch(1);
        String[] failure = {"no answer"};
        Class<?> kind = optional("producer.RequestCallback");
        Object callback = Proxy.newProxyInstance(Ways.class.getClassLoader(), new Class<?>[] {kind}, (p, method, args) -> {
            failure[0] = method.getName().equals("onSuccess") ? null : String.valueOf(args[0]);
            answered.countDown();
            return null;
        });
        DefaultMQProducer.class.getMethod("request", Message.class, kind, long.class).invoke(plain, m, callback, 20_000L);
        if (!answered.await(25, TimeUnit.SECONDS) || failure[0] != null) {
            throw new Exception(failure[0]);
        }
    }

    static int send(String way, String word, int count) throws Exception {
        switch (way) {
            case "async": {
                CountDownLatch left = new CountDownLatch(count);
                int[] acked = {0};
                for (int n = 0; n < count; n++) {
                    plain.send(message(way, word, n), new SendCallback() {
                        public void onSuccess(SendResult r) {
                            synchronized (acked) {
                                acked[0]++;
                            }
                            left.countDown();
                        }

                        public void onException(Throwable e) {
                            say("trouble async " + e);
                            left.countDown();
                        }
                    });
                }
                left.await();
                return acked[0];
            }
            case "batch": {
                List<Message> all = new ArrayList<>();
                for (int n = 0; n < count; n++) {
                    all.add(message(way, word, n));
                }
                plain.send(all);
                return count;
            }
            default:
        }
        for (int n = 0; n < count; n++) {
            Message m = message(way, word, n);
            switch (way) {
                case "sync":
                    plain.send(m);
                    break;
                case "oneway":
                    plain.sendOneway(m);
                    break;
                case "ordered":
                    plain.send(m, (queues, it, key) -> queues.get((Integer) key % queues.size()), n);
                    break;
                case "delayed":
                    m.setDelayTimeLevel(1);
                    plain.send(m);
                    break;
                case "transaction":
                    transactions.sendMessageInTransaction(m, n);
                    break;
                case "request":
                    request(m);
                    break;
                default:
                    throw new IllegalArgumentException(way);
            }
        }
        return count;
    }

    /** The last of the transactions is rolled back. */
    static class Decider implements TransactionListener {
        public LocalTransactionState executeLocalTransaction(Message m, Object n) {
            return (Integer) n == 0 ? LocalTransactionState.ROLLBACK_MESSAGE : LocalTransactionState.COMMIT_MESSAGE;
        }

        public LocalTransactionState checkLocalTransaction(MessageExt m) {
            return new String(m.getBody()).endsWith("-0") ? LocalTransactionState.ROLLBACK_MESSAGE : LocalTransactionState.COMMIT_MESSAGE;
        }
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    static void push(String way) throws Exception {
        DefaultMQPushConsumer c = new DefaultMQPushConsumer(prefix + way);
        c.setNamesrvAddr(names);
        c.setInstanceName(prefix + way);
        c.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        if (way.equals("broadcast")) {
            for (Method m : DefaultMQPushConsumer.class.getMethods()) {
                if (m.getName().equals("setMessageModel")) {
                    m.invoke(c, Enum.valueOf((Class) m.getParameterTypes()[0], "BROADCASTING"));
                }
            }
        }
        c.subscribe(topic, "*");
        if (way.equals("orderly")) {
            c.registerMessageListener((MessageListenerOrderly) (all, context) -> {
                got(way, all);
                return ConsumeOrderlyStatus.SUCCESS;
            });
        } else {
            c.registerMessageListener((MessageListenerConcurrently) (all, context) -> {
                got(way, all);
                if (way.equals("concurrent")) {
                    all.forEach(Ways::answer);
                }
                return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
            });
        }
        c.start();
    }

    static void pull() throws Exception {
        MQPullConsumerScheduleService s = new MQPullConsumerScheduleService(prefix + "pull");
        s.getDefaultMQPullConsumer().setNamesrvAddr(names);
        s.getDefaultMQPullConsumer().setInstanceName(prefix + "pull");
        s.registerPullTaskCallback(topic, (queue, context) -> {
            MQPullConsumer c = context.getPullConsumer();
            try {
                PullResult r = c.pull(queue, "*", Math.max(0, c.fetchConsumeOffset(queue, false)), 32);
                if (r.getPullStatus() == PullStatus.FOUND) {
                    got("pull", r.getMsgFoundList());
                }
                c.updateConsumeOffset(queue, r.getNextBeginOffset());
                context.setPullNextDelayTimeMillis(50);
            } catch (Exception e) {
                say("trouble pull " + e);
                context.setPullNextDelayTimeMillis(500);
            }
        });
        s.start();
    }

    @SuppressWarnings("unchecked")
    static void litePull(Class<?> kind) throws Exception {
        Object c = kind.getConstructor(String.class).newInstance(prefix + "litepull");
        kind.getMethod("setNamesrvAddr", String.class).invoke(c, names);
        kind.getMethod("setInstanceName", String.class).invoke(c, prefix + "litepull");
        kind.getMethod("setConsumeFromWhere", ConsumeFromWhere.class).invoke(c, ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        kind.getMethod("subscribe", String.class, String.class).invoke(c, topic, "*");
        kind.getMethod("start").invoke(c);
        Method poll = kind.getMethod("poll", long.class);
        Thread t = new Thread(() -> {
            while (true) {
                try {
                    got("litepull", (List<MessageExt>) poll.invoke(c, 1000L));
                } catch (Exception e) {
                    say("trouble litepull " + e + " " + e.getCause());
                }
            }
        });
        t.setDaemon(true);
        t.start();
    }

    static boolean has(String way) {
        switch (way) {
            case "request":
                return optional("utils.MessageUtil") != null;
            case "litepull":
                return optional("consumer.DefaultLitePullConsumer") != null;
            default:
                return true;
        }
    }

    static void prepare(DefaultMQProducer p, String name) throws Exception {
        p.setNamesrvAddr(names);
        p.setInstanceName(prefix + name);
        p.setSendMsgTimeout(60_000); // on a machine that is very busy
        p.setRetryTimesWhenSendFailed(0);
        p.start();
    }

    static void run(String[] args) throws Exception {
        names = args[0];
        topic = args[1];
        prefix = args[2];
        int count = Integer.parseInt(args[3]);
        plain = new DefaultMQProducer(prefix + "plain");
        prepare(plain, "plain");
        transactions = new TransactionMQProducer(prefix + "transactions");
        transactions.setTransactionListener(new Decider());
        prepare(transactions, "transactions");
        for (String way : READS) {
            if (way.equals("pull")) {
                pull();
            } else if (!way.equals("litepull")) {
                push(way);
            } else if (has(way)) {
                litePull(optional("consumer.DefaultLitePullConsumer"));
            }
        }
        say("ready");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String word = in.readLine(); word != null; word = in.readLine()) {
            for (String way : SENDS) {
                if (!has(way)) {
                    continue;
                }
                try {
                    say("sent " + way + " " + word + " " + send(way, word, count));
                } catch (Exception e) {
                    say("unsent " + way + " " + word + " " + e + " " + e.getCause());
                }
            }
            say("done " + word);
        }
        System.exit(0);
    }

    // names topic prefix count
    public static void main(String[] args) {
        try {
            run(args);
        } catch (Throwable e) { // threads of the client would keep the program alive
            say("trouble start " + e);
            System.exit(1);
        }
    }
}
