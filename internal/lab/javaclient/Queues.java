import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.MessageQueue;

/** Prints which queues of topics a producer chooses among, and which ones the members of a group share, in their order. */
public class Queues {
    interface Asked {
        Collection<MessageQueue> get() throws MQClientException;
    }

    static void say(String kind, String topic, Asked asked) {
        List<MessageQueue> queues = new ArrayList<>();
        String why = "";
        try {
            queues.addAll(asked.get());
        } catch (MQClientException e) {
            why = String.valueOf(e.getErrorMessage()).replace('\n', ' ');
        }
        if (kind.equals("subscribe")) {
            Collections.sort(queues); // as RebalanceImpl does before members share them
        }
        StringBuilder line = new StringBuilder(kind + " " + topic);
        for (MessageQueue q : queues) {
            line.append(' ').append(q.getBrokerName()).append('/').append(q.getQueueId());
        }
        System.out.println(line);
        if (queues.isEmpty()) {
            System.err.println(kind + " " + topic + ": " + why);
        }
    }

    public static void main(String[] args) throws Exception {
        DefaultMQProducer producer = new DefaultMQProducer("P-" + args[1]);
        producer.setNamesrvAddr(args[0]);
        producer.start();
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(args[1]);
        consumer.setNamesrvAddr(args[0]);
        consumer.setInstanceName("consumer"); // a client of its own
        for (int i = 2; i < args.length; i++) {
            consumer.subscribe(args[i], "*");
        }
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> ConsumeConcurrentlyStatus.CONSUME_SUCCESS);
        consumer.start();
        for (int i = 2; i < args.length; i++) {
            String topic = args[i];
            say("publish", topic, () -> producer.fetchPublishMessageQueues(topic));
            say("subscribe", topic, () -> consumer.fetchSubscribeMessageQueues(topic));
        }
        System.out.println("done");
        System.out.flush();
        consumer.shutdown(); // brokers forget it at once
        System.exit(0);
    }
}
