import java.io.BufferedOutputStream;
import java.io.FileOutputStream;
import java.io.FileDescriptor;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * A stock producer and a stock push consumer that say what becomes of each message, until the input ends.
 *
 * Arguments: name servers, topics separated by commas, group, threads that send, messages a second, the number before the first message's. Times are microseconds since 1970:
 * "s begin took number" is a send that was acknowledged, "e begin took number" one that failed, and "r when side topic queue number" a
 * delivery, where side is 1 if the message came from the target: then its commit-log offset carries the gateway's tag.
 */
public class Flow {
    private static final PrintStream OUT = new PrintStream(new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16));

    public static void main(String[] args) throws Exception {
        String[] topics = args[1].split(",");
        int threads = Integer.parseInt(args[3]);
        double rate = Double.parseDouble(args[4]) / threads;
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(args[2]);
        consumer.setNamesrvAddr(args[0]);
        for (String topic : topics) {
            consumer.subscribe(topic, "*");
        }
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            long now = now();
            for (MessageExt m : messages) {
                say("r " + now + " " + (m.getCommitLogOffset() >>> 56 == 0 ? 0 : 1) + " " + m.getTopic() + " " + m.getQueueId() + " "
                    + new String(m.getBody(), StandardCharsets.US_ASCII).trim());
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
        DefaultMQProducer producer = new DefaultMQProducer("flow-producers");
        producer.setNamesrvAddr(args[0]);
        producer.start();
        AtomicLong numbers = new AtomicLong(Long.parseLong(args[5]));
        long begin = System.nanoTime();
        for (int t = 0; t < threads; t++) {
            long first = begin + (long) (1e9 / rate * t / threads); // one after the other, not all at once
            new Thread(() -> send(producer, topics, numbers, rate, first)).start();
        }
        while (System.in.read() >= 0) { // commands have no meaning, their end has
        }
        OUT.flush();
        Runtime.getRuntime().halt(0);
    }

    private static void send(DefaultMQProducer producer, String[] topics, AtomicLong numbers, double rate, long next) {
        byte[] padding = " ".repeat(1000).getBytes(StandardCharsets.US_ASCII);
        while (true) {
            next += (long) (1e9 / rate);
            LockSupport.parkNanos(next - System.nanoTime());
            long number = numbers.incrementAndGet();
            byte[] body = padding.clone();
            byte[] digits = Long.toString(number).getBytes(StandardCharsets.US_ASCII);
            System.arraycopy(digits, 0, body, 0, digits.length);
            long at = now();
            long begin = System.nanoTime();
            String what = "s ";
            try {
                producer.send(new Message(topics[(int) (number % topics.length)], body));
            } catch (Exception e) {
                what = "e ";
                System.err.println(e);
            }
            say(what + at + " " + (System.nanoTime() - begin) / 1000 + " " + number);
        }
    }

    private static long now() {
        return ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
    }

    /** Lines come in time: they are flushed as they are written, since a reader waits for the latest. */
    private static void say(String line) {
        synchronized (OUT) {
            OUT.println(line);
            OUT.flush();
        }
    }
}
