import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import org.codelibs.opensearch.runner.OpenSearchRunner;

/** Starts one OpenSearch node on loopback: Launch FOLDER HTTP_PORT TRANSPORT_PORT [SETTING=VALUE...]. */
public final class Launch {
    private Launch() {}

    public static void main(String[] arguments) throws Exception {
        String folder = arguments[0];
        OpenSearchRunner runner = new OpenSearchRunner();
        // The runner refuses ports above 9299 otherwise; the real ones are set below.
        runner.setMaxHttpPort(65535);
        runner.onBuild((number, settings) -> {
            settings.put("network.host", "127.0.0.1");
            settings.put("http.port", arguments[1]);
            settings.put("transport.port", arguments[2]);
            settings.put("discovery.type", "single-node");
            // A full disk of the machine is not what is tested: without this the node refuses writes at 95 %.
            settings.put("cluster.routing.allocation.disk.threshold_enabled", "false");
            for (String setting : Arrays.asList(arguments).subList(3, arguments.length)) {
                int equals = setting.indexOf('=');
                settings.put(setting.substring(0, equals), setting.substring(equals + 1));
            }
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                runner.close();
            } catch (Exception error) {
                error.printStackTrace();
            }
        }));
        runner.build(OpenSearchRunner.newConfigs()
            .basePath(folder)
            .numOfNode(1)
            .clusterName("maas-tests")
            .baseHttpPort(20000)
            .useLogger());
        new CountDownLatch(1).await();
    }
}
