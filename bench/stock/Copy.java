import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageConst;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * What people write by hand to copy a topic in Java: a push consumer whose listener sends what it gets, and asks for it
 * again when the send fails. The order of a queue is not kept.
 *
 * Arguments: name servers of the source, name servers of the target, topic, group, threads, messages per send.
 * It ends when its standard input ends, and says then how many sends have failed.
 */
public class Copy {
    private static final AtomicLong failed = new AtomicLong();
    private static final AtomicReference<String> last = new AtomicReference<>("");

    public static void main(String[] args) throws Exception {
        String topic = args[2];
        String group = args[3];
        int threads = Integer.parseInt(args[4]);
        int batch = Integer.parseInt(args[5]);

        DefaultMQProducer producer = new DefaultMQProducer(group + "-producer");
        producer.setNamesrvAddr(args[1]);
        producer.setInstanceName("target"); // clients of one instance share connections, and with them the cluster
        producer.setSendMsgTimeout(10_000);
        producer.start();

        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(group);
        consumer.setNamesrvAddr(args[0]);
        consumer.setInstanceName("source");
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.setConsumeThreadMin(threads);
        consumer.setConsumeThreadMax(threads);
        consumer.setConsumeMessageBatchMaxSize(batch);
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> forward(producer, topic, messages));
        consumer.start();

        while (System.in.read() >= 0) {
        }
        System.out.println("failed " + failed.get() + " " + last.get());
        System.out.flush();
        Runtime.getRuntime().halt(0); // an orderly shutdown takes seconds that belong to no copy
    }

    private static ConsumeConcurrentlyStatus forward(DefaultMQProducer producer, String topic, List<MessageExt> messages) {
        try {
            if (messages.size() == 1) {
                producer.send(copyOf(messages.get(0), topic));
            } else {
                producer.send(messages.stream().map(m -> copyOf(m, topic)).collect(Collectors.toList()));
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        } catch (Exception e) {
            failed.incrementAndGet();
            last.set(String.valueOf(e).replaceAll("\\s+", " "));
            return ConsumeConcurrentlyStatus.RECONSUME_LATER;
        }
    }

    private static Message copyOf(MessageExt original, String topic) {
        Message copy = new Message(topic, original.getTags(), original.getKeys(), original.getFlag(), original.getBody(), true);
        original.getProperties().forEach((name, value) -> {
            if (!MessageConst.STRING_HASH_SET.contains(name)) { // the clients' own
                copy.putUserProperty(name, value);
            }
        });
        return copy;
    }
}
