//! The Kubernetes manifests: Kubernetes knows every field of them, and they agree with the image and the
//! server.

use std::{collections::BTreeMap, fs};

use serde_json::{Value, json};

use super::{checker, dockerfile::dockerfile, path, said, seconds_to_leave, settings, yaml};

const FOLDER: &str = "deploy/kubernetes";

/// Every file.
fn files() -> Vec<String> {
    let entries = fs::read_dir(path(FOLDER)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.map(|name| format!("{FOLDER}/{name}")).collect()
}

/// Every object by its kind, of which there is one.
fn objects() -> BTreeMap<String, Value> {
    let objects = files().into_iter().flat_map(|file| yaml(&file));
    let all: Vec<_> =
        objects.map(|object| (object["kind"].as_str().unwrap().to_owned(), object)).collect();
    let count = all.len();
    let objects: BTreeMap<_, _> = all.into_iter().collect();
    assert_eq!(objects.len(), count);
    objects
}

/// The oldest that people run, and the newest that is known.
#[test]
fn kubernetes_knows_every_field() {
    for version in [&["-k", "1.30.0"][..], &[]] {
        said(checker("kubernetes-validate").arg("--strict").args(version).args(files()));
    }
}

#[test]
fn the_manifests_agree_with_each_other() {
    let objects = objects();
    let deployment = &objects["Deployment"];
    let name = &deployment["metadata"]["name"];
    let labels = &deployment["spec"]["template"]["metadata"]["labels"];
    assert_eq!(&deployment["spec"]["selector"]["matchLabels"], labels);
    assert_eq!(&objects["Service"]["spec"]["selector"], labels);
    assert_eq!(&objects["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"], labels);
    assert_eq!(&objects["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"], labels);
    let scaled = &objects["HorizontalPodAutoscaler"]["spec"];
    assert_eq!(
        scaled["scaleTargetRef"],
        json!({
            "apiVersion": deployment["apiVersion"], "kind": "Deployment", "name": name
        })
    );
    assert!(deployment["spec"].get("replicas").is_none(), "applying it would undo the scaling");
    let backend = &objects["Ingress"]["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"];
    let port = &objects["Service"]["spec"]["ports"][0];
    assert_eq!((&backend["name"], &backend["port"]["name"]), (name, &port["name"]));
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["ports"][0]["name"], port["targetPort"]);
    assert_eq!(
        objects["NetworkPolicy"]["spec"]["ingress"][0]["ports"][0]["port"],
        port["targetPort"]
    );
    for (number, kind) in [(0, "configMapRef"), (1, "secretRef")] {
        assert_eq!(&container["envFrom"][number][kind]["name"], name);
    }
    let host = objects["Ingress"]["spec"]["rules"][0]["host"].as_str().unwrap();
    assert_eq!(objects["ConfigMap"]["data"]["BASE_URI"], format!("https://{host}"));
}

#[test]
fn the_manifests_agree_with_the_image_and_the_server() {
    let (_, image) = dockerfile();
    let objects = objects();
    let pod = &objects["Deployment"]["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(container["image"], format!("mcp-everything:{version}"));
    assert_eq!(container["args"], json!(image.command));
    assert_eq!(container["ports"][0]["containerPort"].to_string(), image.port);
    let user = &pod["securityContext"];
    assert_eq!(
        [&user["runAsUser"], &user["runAsGroup"]],
        [&json!(image.user[0]), &json!(image.user[1])]
    );

    // The server takes what it is told, and has the time that it wants to leave.
    let told = [&objects["ConfigMap"]["data"], &objects["Secret"]["stringData"]];
    let told = told.into_iter().flat_map(|data| data.as_object().unwrap());
    let told = told.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
    let environment: Vec<_> = image.environment.into_iter().chain(told).collect();
    let settings = settings(&environment);
    let leaves = seconds_to_leave(&settings);
    let patience = pod["terminationGracePeriodSeconds"].as_u64().unwrap();
    assert!(patience >= leaves + 10, "{patience} s are too few for {leaves} s");
    assert!(container.get("lifecycle").is_none(), "what a preStop takes is not in that");
    // Red is seen while it is still served.
    let probe = &container["readinessProbe"];
    assert_eq!(
        (&probe["httpGet"]["path"], &probe["failureThreshold"]),
        (&json!("/readyz"), &json!(1))
    );
    for green in ["livenessProbe", "startupProbe"] {
        assert_eq!(container[green]["httpGet"]["path"], "/healthz", "{green}");
    }
}
