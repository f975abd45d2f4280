import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;

/**
 * A stock push consumer that reads a history.
 *
 * Arguments: name servers, topic, group, messages of the history, threads, microseconds of work for each message. The first quarter
 * warms it up. It says {"warm":true} when it begins to measure, and one line with the result at its end.
 */
public class Read {
    public static void main(String[] args) throws Exception {
        long all = Long.parseLong(args[3]);
        int threads = Integer.parseInt(args[4]);
        long work = Long.parseLong(args[5]) * 1_000L;
        AtomicLong got = new AtomicLong();
        CountDownLatch warm = new CountDownLatch(1);
        CountDownLatch done = new CountDownLatch(1);
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(args[2]);
        consumer.setNamesrvAddr(args[0]);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.setConsumeThreadMin(threads);
        consumer.setConsumeThreadMax(threads);
        consumer.subscribe(args[1], "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            if (work > 0) {
                LockSupport.parkNanos(work * messages.size());
            }
            long now = got.addAndGet(messages.size());
            if (now >= all / 4) {
                warm.countDown();
            }
            if (now >= all) {
                done.countDown();
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
        warm.await();
        long before = got.get();
        long begin = System.nanoTime();
        System.out.println("{\"warm\":true}");
        System.out.flush();
        done.await();
        double seconds = (System.nanoTime() - begin) / 1e9;
        System.out.printf("{\"messages\":%d,\"perSecond\":%.0f}%n", all - before, (all - before) / seconds);
        System.out.flush();
        Runtime.getRuntime().halt(0); // an orderly shutdown takes seconds that belong to no message
    }
}
