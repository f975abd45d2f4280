import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.zip.CRC32;
import org.apache.rocketmq.acl.common.AclUtils;
import org.apache.rocketmq.remoting.CommandCustomHeader;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/**
 * Says what RocketMQ's own classes read, for tests that compare it with what the gateway reads. It runs with the jars of one version.
 *
 * A question on standard input is a length (4 bytes), a letter, and the rest; an answer on standard output is a length and JSON.
 *
 *   F frame                 a whole frame: the command, and of a request the header that its code has
 *   A code(2) frame         the answer to a request of that code: the command, and the header that such an answer has
 *   B length(1) name body   a body: an object of the class of that name
 *
 * What a class refuses is answered with {"refused":"the exception"}.
 */
public class Read {
    /** Where 4.9.7 and 5.3.3 have the classes. */
    static final String[] PACKAGES = {
        "org.apache.rocketmq.common.protocol.", "org.apache.rocketmq.remoting.protocol.",
    };

    /** Fields that are other ones each time: the time, and a random number generator. */
    static final Set<String> CHANGING = Set.of("subVersion", "random");

    static final Map<Integer, String> REQUESTS = new TreeMap<>();
    static final Map<Integer, String> ANSWERS = new TreeMap<>();

    static {
        kind(10, "SendMessageRequestHeader", "SendMessageResponseHeader");
        kind(310, "SendMessageRequestHeaderV2", "SendMessageResponseHeader");
        kind(320, "SendMessageRequestHeaderV2", "SendMessageResponseHeader");
        kind(11, "PullMessageRequestHeader", "PullMessageResponseHeader");
        kind(361, "PullMessageRequestHeader", "PullMessageResponseHeader");
        kind(12, "QueryMessageRequestHeader", "QueryMessageResponseHeader");
        kind(14, "QueryConsumerOffsetRequestHeader", "QueryConsumerOffsetResponseHeader");
        kind(15, "UpdateConsumerOffsetRequestHeader", "UpdateConsumerOffsetResponseHeader");
        kind(29, "SearchOffsetRequestHeader", "SearchOffsetResponseHeader");
        kind(30, "GetMaxOffsetRequestHeader", "GetMaxOffsetResponseHeader");
        kind(31, "GetMinOffsetRequestHeader", "GetMinOffsetResponseHeader");
        kind(33, "ViewMessageRequestHeader", "ViewMessageResponseHeader");
        kind(35, "UnregisterClientRequestHeader", "UnregisterClientResponseHeader");
        kind(36, "ConsumerSendMsgBackRequestHeader", null);
        kind(37, "EndTransactionRequestHeader", "EndTransactionResponseHeader");
        kind(38, "GetConsumerListByGroupRequestHeader", "GetConsumerListByGroupResponseHeader");
        kind(39, "CheckTransactionStateRequestHeader", null);
        kind(40, "NotifyConsumerIdsChangedRequestHeader", null);
        kind(105, "namesrv.GetRouteInfoRequestHeader", null);
    }

    static void kind(int code, String request, String answer) {
        REQUESTS.put(code, "header." + request);
        if (answer != null) {
            ANSWERS.put(code, "header." + answer);
        }
    }

    static Class<?> find(String name) throws ClassNotFoundException {
        for (String in : PACKAGES) {
            try {
                return Class.forName(in + name);
            } catch (ClassNotFoundException e) { // it is in the other one
            }
        }
        throw new ClassNotFoundException(name);
    }

    public static void main(String[] args) throws Exception {
        DataOutputStream out = new DataOutputStream(new BufferedOutputStream(new FileOutputStream(FileDescriptor.out)));
        System.setOut(System.err); // loggers write there
        DataInputStream in = new DataInputStream(new BufferedInputStream(System.in));
        while (true) {
            byte[] question;
            try {
                question = new byte[in.readInt()];
            } catch (EOFException e) {
                System.exit(0);
                return;
            }
            in.readFully(question);
            byte[] answer = answer(ByteBuffer.wrap(question)).getBytes(StandardCharsets.US_ASCII);
            out.writeInt(answer.length);
            out.write(answer);
            out.flush();
        }
    }

    static String answer(ByteBuffer question) {
        try {
            switch (question.get()) {
                case 'F':
                    return frame(question, REQUESTS, null);
                case 'A':
                    return frame(question, ANSWERS, (int) question.getShort());
                case 'B':
                    return body(question);
                default:
                    return "{\"trouble\":\"an unknown kind of question\"}";
            }
        } catch (ClassNotFoundException | NoClassDefFoundError e) {
            return "{\"trouble\":" + quoted(String.valueOf(e)) + "}";
        } catch (Throwable e) {
            return "{\"refused\":" + quoted(e.getClass().getName()) + "}";
        }
    }

    static byte[] rest(ByteBuffer b) {
        byte[] rest = new byte[b.remaining()];
        b.get(rest);
        return rest;
    }

    /** What NettyDecoder does with a frame: the length before it isn't part of what is decoded. */
    static String frame(ByteBuffer question, Map<Integer, String> headers, Integer code) throws Throwable {
        question.getInt();
        RemotingCommand is = RemotingCommand.decode(ByteBuffer.wrap(rest(question)));
        Map<String, String> out = new TreeMap<>();
        out.put("code", String.valueOf(is.getCode()));
        out.put("flag", String.valueOf(is.getFlag()));
        out.put("version", String.valueOf(is.getVersion()));
        out.put("opaque", String.valueOf(is.getOpaque()));
        out.put("language", dump(is.getLanguage()));
        out.put("remark", dump(is.getRemark()));
        out.put("format", dump(is.getSerializeTypeCurrentRPC()));
        out.put("fields", dump(is.getExtFields()));
        out.put("body", sum(is.getBody()));
        out.put("signed", sum(signed(is)));
        boolean answers = (is.getFlag() & 1) == 1;
        String header = headers.get(code == null ? (Integer) is.getCode() : code);
        if (header != null && answers == (code != null)) {
            out.put("header", header(is, header));
        }
        return object(out);
    }

    @SuppressWarnings("unchecked")
    static String header(RemotingCommand of, String name) throws ClassNotFoundException {
        Class<?> found = find(name);
        try {
            return dump(of.decodeCommandCustomHeader((Class<? extends CommandCustomHeader>) found));
        } catch (Throwable e) {
            return "{\"refused\":" + quoted(e.getClass().getName()) + "}";
        }
    }

    /** What a signature is made of (PlainAccessValidator.parse of 4.9.7, DefaultAuthenticationContextBuilder.build of 5.3.3). */
    static byte[] signed(RemotingCommand of) {
        SortedMap<String, String> fields = new TreeMap<>();
        if (of.getExtFields() != null) {
            fields.putAll(of.getExtFields());
        }
        fields.remove("Signature");
        fields.remove("_UNIQUE_KEY_QUERY"); // 5.3.3 only of clients up to 4.9.3
        return AclUtils.combineRequestContent(of, fields);
    }

    static String sum(byte[] body) {
        if (body == null || body.length == 0) {
            return "\"\"";
        }
        CRC32 sum = new CRC32();
        sum.update(body);
        return String.format("\"%d %08x\"", body.length, sum.getValue());
    }

    static String body(ByteBuffer question) throws Throwable {
        byte[] name = new byte[question.get()];
        question.get(name);
        Class<?> found = find(new String(name, StandardCharsets.US_ASCII));
        Method decode = find("RemotingSerializable").getMethod("decode", byte[].class, Class.class);
        byte[] body = rest(question);
        try {
            Object is = decode.invoke(null, body.length == 0 ? null : body, found); // as in a frame without a body
            return is == null ? "{\"refused\":\"null\"}" : dump(is);
        } catch (java.lang.reflect.InvocationTargetException e) {
            throw e.getCause();
        }
    }

    static String object(Map<String, String> members) {
        StringBuilder out = new StringBuilder("{");
        for (Map.Entry<String, String> one : members.entrySet()) {
            out.append(out.length() > 1 ? "," : "").append(quoted(one.getKey())).append(':').append(one.getValue());
        }
        return out.append('}').toString();
    }

    /** What an object holds, in JSON. Sets and maps are sorted. */
    static String dump(Object it) throws IllegalAccessException {
        if (it == null) {
            return "null";
        }
        if (it instanceof Number || it instanceof Boolean) {
            return it.toString();
        }
        if (it instanceof Enum) {
            return quoted(((Enum<?>) it).name());
        }
        if (it instanceof Collection) {
            List<String> all = new ArrayList<>();
            for (Object one : (Collection<?>) it) {
                all.add(dump(one));
            }
            if (it instanceof Set) {
                Collections.sort(all);
            }
            return "[" + String.join(",", all) + "]";
        }
        if (it instanceof Map) {
            Map<String, String> members = new TreeMap<>();
            for (Map.Entry<?, ?> one : ((Map<?, ?>) it).entrySet()) {
                members.put(one.getKey() == null ? "<null>" : String.valueOf(one.getKey()), dump(one.getValue()));
            }
            return object(members);
        }
        if (!it.getClass().getName().startsWith("org.apache.rocketmq.")) {
            return quoted(it.toString());
        }
        Map<String, String> members = new TreeMap<>();
        for (Class<?> c = it.getClass(); c != Object.class; c = c.getSuperclass()) {
            for (Field f : c.getDeclaredFields()) {
                int is = f.getModifiers();
                if (!Modifier.isStatic(is) && !Modifier.isTransient(is) && !CHANGING.contains(f.getName())) {
                    f.setAccessible(true);
                    String value = dump(f.get(it));
                    if (it instanceof CommandCustomHeader && (value.equals("null") || value.equals("false"))) {
                        continue; // fields that only one version has, or that are flags in one
                    }
                    members.putIfAbsent(f.getName(), value);
                }
            }
        }
        return object(members);
    }

    /** A text in JSON of ASCII. Half a surrogate pair, of which others make a replacement, is told as such. */
    static String quoted(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean pair = Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))
                || Character.isLowSurrogate(c) && i > 0 && Character.isHighSurrogate(text.charAt(i - 1));
            if (Character.isSurrogate(c) && !pair) {
                out.append(String.format("<half a pair %04x>", (int) c));
            } else if (c < ' ' || c > '~' || c == '"' || c == '\\') {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        return out.append('"').toString();
    }
}
