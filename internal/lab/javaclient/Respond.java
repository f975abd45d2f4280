import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.utils.MessageUtil;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** A member of a group that answers requests, for tests. It says what each request names, and whether its answer was taken. */
public class Respond {
    // names topic group instance
    public static void main(String[] args) {
        try {
            run(args);
        } catch (Throwable e) { // threads of the client would keep the program alive
            say("trouble " + e);
            System.exit(1);
        }
    }

    static synchronized void say(String line) {
        System.out.println(line.replace('\n', ' '));
        System.out.flush();
    }

    static void answer(DefaultMQProducer p, MessageExt m) {
        String body = new String(m.getBody());
        try {
            Message reply = MessageUtil.createReplyMessage(m, ("answer to " + body).getBytes());
            SendResult r = p.send(reply, 60_000);
            say("replied " + body + " " + m.getProperty("CLUSTER") + " " + reply.getTopic() + " " + m.getStoreHost() + " " + r.getSendStatus());
        } catch (Exception e) {
            say("failed " + body + " " + m.getProperty("CLUSTER") + " " + e);
        }
    }

    static void run(String[] args) throws Exception {
        DefaultMQProducer p = new DefaultMQProducer(args[2] + "-replies");
        p.setNamesrvAddr(args[0]);
        p.setInstanceName(args[3] + "-replies");
        p.setRetryTimesWhenSendFailed(0);
        p.start();
        DefaultMQPushConsumer c = new DefaultMQPushConsumer(args[2]);
        c.setNamesrvAddr(args[0]);
        c.setInstanceName(args[3]);
        c.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        c.subscribe(args[1], "*");
        c.registerMessageListener((MessageListenerConcurrently) (all, context) -> {
            for (MessageExt m : all) {
                answer(p, m);
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        c.start();
        say("ready");
        while (System.in.read() >= 0) { // until standard input ends
        }
        c.shutdown();
        p.shutdown();
        System.exit(0);
    }
}
