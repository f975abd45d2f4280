import java.io.BufferedReader;
import java.io.InputStreamReader;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;

/**
 * A producer that sends requests and waits for their answers, for tests: each line of its input is one more request. It says what was answered, with the
 * topic of the answer. Clients from 4.6 on have requests.
 */
public class Request {
    // names topic group instance milliseconds
    public static void main(String[] args) {
        try {
            run(args);
        } catch (Throwable e) { // threads of the client would keep the program alive
            say("trouble " + e);
            System.exit(1);
        }
    }

    static void say(String line) {
        System.out.println(line.replace('\n', ' '));
        System.out.flush();
    }

    static void run(String[] args) throws Exception {
        DefaultMQProducer p = new DefaultMQProducer(args[2]);
        p.setNamesrvAddr(args[0]);
        p.setInstanceName(args[3]);
        p.setRetryTimesWhenSendFailed(0);
        p.setSendMsgTimeout(60_000); // on a machine that is very busy
        p.start();
        p.fetchPublishMessageQueues(args[1]);
        say("ready");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            try {
                Message reply = p.request(new Message(args[1], line.getBytes()), Long.parseLong(args[4]));
                say("answered " + line + " " + reply.getTopic() + " " + new String(reply.getBody()));
            } catch (Exception e) {
                say("unanswered " + line + " " + e);
            }
        }
        p.shutdown();
        System.exit(0);
    }
}
