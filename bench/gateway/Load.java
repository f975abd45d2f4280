import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.apache.rocketmq.acl.common.AclClientRPCHook;
import org.apache.rocketmq.acl.common.SessionCredentials;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.remoting.RPCHook;

/**
 * A stock producer that sends synchronously from several threads.
 *
 * Arguments: name servers, topic, threads, seconds to warm up, seconds to measure, bytes of a body, messages a second (0: as
 * fast as it goes), messages in a send, the access key to sign with or nothing, and its secret. It says {"warm":true} when it begins to measure, and one line with the result at its end.
 */
public class Load {
    public static void main(String[] args) throws Exception {
        int threads = Integer.parseInt(args[2]);
        long warm = Long.parseLong(args[3]) * 1_000_000_000L;
        long measure = Long.parseLong(args[4]) * 1_000_000_000L;
        byte[] body = new byte[Integer.parseInt(args[5])];
        Arrays.fill(body, (byte) 'x');
        int together = Integer.parseInt(args[7]);
        double rate = Double.parseDouble(args[6]) / threads / together;
        RPCHook signs = args[8].isEmpty() ? null : new AclClientRPCHook(new SessionCredentials(args[8], args[9]));
        DefaultMQProducer producer = new DefaultMQProducer("load-" + args[1], signs);
        producer.setNamesrvAddr(args[0]);
        producer.start();

        Thread.setDefaultUncaughtExceptionHandler((thread, e) -> { // or its end would be waited for
            e.printStackTrace();
            Runtime.getRuntime().halt(1);
        });
        long begin = System.nanoTime();
        AtomicLong errors = new AtomicLong();
        long[][] took = new long[threads][];
        CountDownLatch done = new CountDownLatch(threads);
        for (int t = 0; t < threads; t++) {
            int me = t;
            new Thread(() -> {
                took[me] = send(producer, new Message(args[1], body), begin + warm, begin + warm + measure, rate, together, errors);
                done.countDown();
            }).start();
        }
        LockSupport.parkNanos(begin + warm - System.nanoTime());
        System.out.println("{\"warm\":true}");
        System.out.flush();
        done.await();
        long[] all = Arrays.stream(took).flatMapToLong(Arrays::stream).sorted().toArray();
        System.out.printf("{\"messages\":%d,\"perSecond\":%.0f,\"p50Ms\":%.3f,\"p99Ms\":%.3f,\"errors\":%d}%n", 
            all.length * together, all.length * together / (measure / 1e9), at(all, 0.5), at(all, 0.99), errors.get());
        System.out.flush();
        Runtime.getRuntime().halt(0); // an orderly shutdown takes seconds that belong to no send
    }

    private static double at(long[] sorted, double share) {
        return sorted.length == 0 ? 0 : sorted[(int) (sorted.length * share)] / 1e6;
    }

    /** Returns how long each send took that began and ended in the time to measure. */
    private static long[] send(DefaultMQProducer producer, Message message, long from, long to, double rate, int together, AtomicLong errors) {
        long[] took = new long[1 << 14];
        int n = 0;
        long next = System.nanoTime();
        while (true) {
            if (rate > 0) {
                next += (long) (1e9 / rate);
                LockSupport.parkNanos(next - System.nanoTime());
            }
            long begin = System.nanoTime();
            if (begin >= to) {
                return Arrays.copyOf(took, n);
            }
            try {
                if (together == 1) {
                    producer.send(new Message(message.getTopic(), message.getBody()));
                } else {
                    producer.send(Stream.generate(() -> new Message(message.getTopic(), message.getBody())).limit(together).toList());
                }
                long end = System.nanoTime();
                if (begin >= from && end < to) {
                    if (n == took.length) {
                        took = Arrays.copyOf(took, 2 * n);
                    }
                    took[n++] = end - begin;
                }
            } catch (Exception e) {
                if (errors.incrementAndGet() <= 3) {
                    System.err.println(e);
                }
            }
        }
    }
}
