import java.lang.reflect.Method;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.rocketmq.client.consumer.AllocateMessageQueueStrategy;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.MQPullConsumer;
import org.apache.rocketmq.client.consumer.MQPullConsumerScheduleService;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.client.consumer.PullTaskCallback;
import org.apache.rocketmq.client.consumer.PullTaskContext;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** A member of a group as applications have it, for tests: it says which messages it got. */
public class Consume {
    static final Object OUT = new Object();
    static final Map<String, String> refused = new ConcurrentHashMap<>(); // by body: where the message is stored that was failed
    static long work;
    static int failEvery;

    static void say(String line) {
        synchronized (OUT) {
            System.out.println(line);
            System.out.flush();
        }
    }

    /** Works on a message; false if it fails, which each that is to fail does once. */
    static boolean take(MessageExt m) {
        String body = new String(m.getBody());
        long pause = body.startsWith("slow") ? 5000 : work;
        if (pause > 0) {
            try {
                Thread.sleep(pause);
            } catch (InterruptedException e) {
                return false;
            }
        }
        String[] words = body.split(" "); // key, number, and the attempt if it isn't the first
        int n = Integer.parseInt(words[1]);
        String place = m.getStoreHost() + "/" + m.getCommitLogOffset();
        if (failEvery > 0 && n % failEvery == 0 && m.getReconsumeTimes() == 0 && refused.putIfAbsent(body, place) == null) {
            say("fail " + body);
            return false;
        }
        // A client that can't give a message back in five seconds works on it once more, or sends it to the retry topic itself. The broker may do so too.
        boolean own = m.getReconsumeTimes() > 0 && (place.equals(refused.get(body)) || m.getProperty("RECONSUME_TIME") != null);
        say("got " + words[0] + " " + n + " " + (words.length > 2 ? words[2] : "0") + " " + m.getQueueId() + " " + m.getQueueOffset() + " " + place + " " + own);
        return true;
    }

    /** Sets the message model, whose class has another name in 5.x. */
    @SuppressWarnings({"unchecked", "rawtypes"})
    static void broadcast(DefaultMQPushConsumer c) throws Exception {
        for (Method m : DefaultMQPushConsumer.class.getMethods()) {
            if (m.getName().equals("setMessageModel")) {
                m.invoke(c, Enum.valueOf((Class) m.getParameterTypes()[0], "BROADCASTING"));
            }
        }
    }

    /** Sets the strategy by which members share queues. */
    static void allocate(DefaultMQPushConsumer c, String strategy) throws Exception {
        c.setAllocateMessageQueueStrategy((AllocateMessageQueueStrategy)
            Class.forName("org.apache.rocketmq.client.consumer.rebalance." + strategy).getConstructor().newInstance());
    }

    static DefaultMQPushConsumer push(String[] args) throws Exception {
        String mode = args[4], filter = args[5];
        DefaultMQPushConsumer c = new DefaultMQPushConsumer(args[2]);
        c.setNamesrvAddr(args[0]);
        c.setInstanceName(args[3]);
        c.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        if (mode.equals("broadcast")) {
            broadcast(c);
        }
        if (!args[8].isEmpty()) {
            allocate(c, args[8]);
        }
        if (filter.startsWith("sql:")) {
            c.subscribe(args[1], MessageSelector.bySql(filter.substring(4)));
        } else {
            c.subscribe(args[1], filter);
        }
        if (mode.equals("orderly")) {
            c.registerMessageListener((MessageListenerOrderly) (all, context) -> {
                for (MessageExt m : all) {
                    if (!take(m)) {
                        return ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT;
                    }
                }
                return ConsumeOrderlyStatus.SUCCESS;
            });
        } else {
            c.registerMessageListener((MessageListenerConcurrently) (all, context) -> {
                for (MessageExt m : all) {
                    if (!take(m)) {
                        return ConsumeConcurrentlyStatus.RECONSUME_LATER;
                    }
                }
                return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
            });
        }
        c.start();
        return c;
    }

    /** Pulls one queue after the other by the client's own schedule, as old applications do. */
    static MQPullConsumerScheduleService pull(String[] args) throws Exception {
        MQPullConsumerScheduleService s = new MQPullConsumerScheduleService(args[2]);
        s.getDefaultMQPullConsumer().setNamesrvAddr(args[0]);
        s.getDefaultMQPullConsumer().setInstanceName(args[3]);
        s.registerPullTaskCallback(args[1], new PullTaskCallback() {
            public void doPullTask(MessageQueue queue, PullTaskContext context) {
                MQPullConsumer c = context.getPullConsumer();
                try {
                    long from = Math.max(0, c.fetchConsumeOffset(queue, false));
                    PullResult r = c.pull(queue, "*", from, 32);
                    if (r.getPullStatus() == PullStatus.FOUND) {
                        for (MessageExt m : r.getMsgFoundList()) {
                            take(m);
                        }
                    }
                    c.updateConsumeOffset(queue, r.getNextBeginOffset());
                    context.setPullNextDelayTimeMillis(r.getPullStatus() == PullStatus.FOUND ? 1 : 20);
                } catch (Exception e) {
                    say("trouble " + String.valueOf(e).replace('\n', ' '));
                    context.setPullNextDelayTimeMillis(200);
                }
            }
        });
        s.start();
        return s;
    }

    // names topic group instance mode filter work failEvery strategy
    public static void main(String[] args) {
        try {
            run(args);
        } catch (Throwable e) { // threads of the client would keep the program alive
            System.out.println("trouble " + String.valueOf(e).replace('\n', ' '));
            System.exit(1);
        }
    }

    static void run(String[] args) throws Exception {
        work = Long.parseLong(args[6]);
        failEvery = Integer.parseInt(args[7]);
        Runnable end;
        if (args[4].equals("pull")) {
            MQPullConsumerScheduleService s = pull(args);
            end = s::shutdown;
        } else {
            DefaultMQPushConsumer c = push(args);
            end = c::shutdown;
        }
        say("ready");
        while (System.in.read() >= 0) { // until standard input ends
        }
        end.run();
        say("ended");
        System.exit(0);
    }
}
