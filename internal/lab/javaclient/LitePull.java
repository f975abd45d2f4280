import java.util.List;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;

/** A member of a group that polls. */
public class LitePull {
    static volatile boolean ended;

    // names topic group instance
    public static void main(String[] args) {
        try {
            run(args);
        } catch (Throwable e) { // threads of the client would keep the program alive
            System.out.println("trouble " + String.valueOf(e).replace('\n', ' '));
            System.exit(1);
        }
    }

    static void run(String[] args) throws Exception {
        DefaultLitePullConsumer c = new DefaultLitePullConsumer(args[2]);
        c.setNamesrvAddr(args[0]);
        c.setInstanceName(args[3]);
        c.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        c.setAutoCommit(false);
        c.subscribe(args[1], "*");
        c.start();
        System.out.println("ready");
        System.out.flush();
        Thread reader = new Thread(() -> {
            while (!ended) {
                List<MessageExt> all = c.poll(200);
                for (MessageExt m : all) {
                    String[] words = new String(m.getBody()).split(" "); // key, number, and the attempt if it isn't the first
                    System.out.println("got " + words[0] + " " + words[1] + " " + (words.length > 2 ? words[2] : "0") + " "
                        + m.getQueueId() + " " + m.getQueueOffset() + " " + m.getStoreHost() + "/" + m.getCommitLogOffset() + " false");
                }
                System.out.flush();
                c.commitSync();
            }
        });
        reader.start();
        while (System.in.read() >= 0) { // until standard input ends
        }
        ended = true;
        reader.join();
        c.shutdown();
        System.out.println("ended");
        System.exit(0);
    }
}
