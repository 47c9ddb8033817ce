//! A pod template without what Kubernetes fills in by itself.

use serde_json::{Value, json};

use super::bare::{claim, defaults, protocols, quantities, unless};
use super::clean::remove;

/// Takes the defaults of a pod template away; a pod that is `kept` running is started again whatever happens.
pub fn pod(template: &mut Value, kept: bool) {
    if let Some(metadata) = template.get_mut("metadata") {
        remove(metadata, &["creationTimestamp"]);
    }
    let Some(spec) = template.get_mut("spec") else { return };
    if kept {
        unless(spec, "restartPolicy", &json!("Always"));
    }
    defaults(
        spec,
        &json!({
            "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler",
            "securityContext": {}, "hostNetwork": false, "hostPID": false, "hostIPC": false,
        }),
    );
    // The older name of the same thing.
    if let Some(account) = spec.get("serviceAccount").cloned() {
        remove(spec, &["serviceAccount"]);
        if spec.get("serviceAccountName").is_none() {
            spec["serviceAccountName"] = account;
        }
    }
    let host = spec["hostNetwork"] == true;
    for key in ["initContainers", "containers"] {
        for own in spec.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten() {
            container(own, host);
        }
    }
    for own in spec.get_mut("volumes").and_then(Value::as_array_mut).into_iter().flatten() {
        volume(own);
    }
}

fn container(own: &mut Value, host: bool) {
    let policy = if is_latest(own["image"].as_str().unwrap_or_default()) { "Always" } else { "IfNotPresent" };
    defaults(
        own,
        &json!({
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File", "imagePullPolicy": policy,
            "stdin": false, "stdinOnce": false, "tty": false, "workingDir": "",
        }),
    );
    if let Some(resources) = own.get_mut("resources") {
        quantities(resources, &["requests", "limits"]);
    }
    if let Some(ports) = own.get_mut("ports") {
        protocols(ports);
        for port in ports.as_array_mut().into_iter().flatten() {
            let number = if host { port["containerPort"].clone() } else { json!(0) };
            unless(port, "hostPort", &number);
            defaults(port, &json!({"name": "", "hostIP": ""}));
        }
    }
    for variable in own.get_mut("env").and_then(Value::as_array_mut).into_iter().flatten() {
        unless(variable, "value", &json!(""));
        if let Some(from) = variable.get_mut("valueFrom") {
            reference(from);
        }
    }
    for mount in own.get_mut("volumeMounts").and_then(Value::as_array_mut).into_iter().flatten() {
        defaults(mount, &json!({"readOnly": false, "subPath": "", "subPathExpr": ""}));
    }
    for key in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = own.get_mut(key) {
            defaults(
                probe,
                &json!({"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3, "initialDelaySeconds": 0}),
            );
            handler(probe);
        }
    }
    for key in ["postStart", "preStop"] {
        if let Some(own) = own.get_mut("lifecycle").and_then(|lifecycle| lifecycle.get_mut(key)) {
            handler(own);
        }
    }
}

fn handler(own: &mut Value) {
    if let Some(get) = own.get_mut("httpGet") {
        defaults(get, &json!({"scheme": "HTTP", "host": ""}));
        if get.get("path").is_none() {
            get["path"] = "/".into();
        }
    }
    if let Some(socket) = own.get_mut("tcpSocket") {
        unless(socket, "host", &json!(""));
    }
    if let Some(grpc) = own.get_mut("grpc") {
        unless(grpc, "service", &json!(""));
    }
}

fn reference(from: &mut Value) {
    if let Some(field) = from.get_mut("fieldRef") {
        unless(field, "apiVersion", &json!("v1"));
    }
    if let Some(resource) = from.get_mut("resourceFieldRef") {
        if resource.get("divisor").is_some_and(Value::is_number) {
            resource["divisor"] = resource["divisor"].to_string().into();
        }
        defaults(resource, &json!({"divisor": "0", "containerName": ""}));
    }
}

fn volume(own: &mut Value) {
    if own.as_object().is_some_and(|map| map.len() == 1) {
        own["emptyDir"] = json!({});
    }
    for key in ["configMap", "secret", "projected", "downwardAPI"] {
        if let Some(source) = own.get_mut(key) {
            unless(source, "defaultMode", &json!(420));
            for item in source.get_mut("items").and_then(Value::as_array_mut).into_iter().flatten() {
                reference(item);
            }
        }
    }
    let sources = own.get_mut("projected").and_then(|projected| projected.get_mut("sources"));
    for source in sources.and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(token) = source.get_mut("serviceAccountToken") {
            defaults(token, &json!({"expirationSeconds": 3600, "audience": ""}));
        }
        let items = source.get_mut("downwardAPI").and_then(|own| own.get_mut("items"));
        items.and_then(Value::as_array_mut).into_iter().flatten().for_each(reference);
    }
    if let Some(path) = own.get_mut("hostPath") {
        unless(path, "type", &json!(""));
    }
    if let Some(dir) = own.get_mut("emptyDir") {
        unless(dir, "medium", &json!(""));
        if dir.get("sizeLimit").is_some_and(Value::is_number) {
            dir["sizeLimit"] = dir["sizeLimit"].to_string().into();
        }
    }
    for key in ["persistentVolumeClaim", "nfs"] {
        if let Some(source) = own.get_mut(key) {
            unless(source, "readOnly", &json!(false));
        }
    }
    if let Some(template) = own.get_mut("ephemeral").and_then(|own| own.get_mut("volumeClaimTemplate")) {
        claim(&mut template["spec"]);
    }
}

/// Whether an image is the newest of its kind: its tag says so, or it has none and no digest.
fn is_latest(image: &str) -> bool {
    let last = image.rsplit('/').next().unwrap_or_default();
    match last.split_once('@') {
        Some((name, _)) => name.ends_with(":latest"),
        None => last.split_once(':').is_none_or(|(_, tag)| tag == "latest"),
    }
}
