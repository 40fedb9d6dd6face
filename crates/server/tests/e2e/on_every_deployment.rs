//! A client does what it does however the server is deployed.

/// Makes of each client, an `async fn(&Deployed)`, one test for each deployment.
macro_rules! on_every_deployment {
    ($($client:ident),+ $(,)?) => {
        mod in_memory { on_every_deployment!(@ in_memory $($client)+); }
        mod three_behind_haproxy { on_every_deployment!(@ three_behind_haproxy $($client)+); }
        mod separate { on_every_deployment!(@ separate $($client)+); }
    };
    (@ $deployment:ident $($client:ident)+) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $client() {
            super::$client(&$crate::deployed::Deployed::$deployment()).await;
        })+
    };
}
