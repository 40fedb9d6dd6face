//! A behaviour is the same however the server is deployed.

/// Makes of each behaviour, an `async fn(&Deployment)`, one test for each deployment.
macro_rules! on_every_deployment {
    ($($behaviour:ident),+ $(,)?) => {
        mod one_in_memory { on_every_deployment!(@ one_in_memory $($behaviour)+); }
        mod one_on_redis { on_every_deployment!(@ one_on_redis $($behaviour)+); }
        mod three_on_redis { on_every_deployment!(@ three_on_redis $($behaviour)+); }
    };
    (@ $deployment:ident $($behaviour:ident)+) => {
        $(#[tokio::test]
        async fn $behaviour() {
            let deployment = $crate::support::Deployment::$deployment();
            super::$behaviour(&deployment).await;
            deployment.every_instance_answered();
        })+
    };
}

/// Makes of each behaviour one test for each deployment with an authorization server of its own.
macro_rules! on_separate_deployments {
    ($($behaviour:ident),+ $(,)?) => {
        mod separate_in_memory { on_every_deployment!(@ separate_in_memory $($behaviour)+); }
        mod separate_on_redis { on_every_deployment!(@ separate_on_redis $($behaviour)+); }
    };
}
