//! What objects refer to by name in their namespace.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::rollout::{Kind, template_path};
use crate::yaml::Object;

/// What is referred to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// A Secret.
    Secret,
    /// A ConfigMap.
    ConfigMap,
    /// A ServiceAccount.
    ServiceAccount,
    /// A claim.
    Claim,
    /// A Service.
    Service,
}

impl Target {
    /// As Kubernetes spells it.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Secret => "Secret",
            Self::ConfigMap => "ConfigMap",
            Self::ServiceAccount => "ServiceAccount",
            Self::Claim => "PersistentVolumeClaim",
            Self::Service => "Service",
        }
    }

    /// As kubectl takes it, and says it.
    pub fn resource(self) -> &'static str {
        match self {
            Self::Secret => "secrets",
            Self::ConfigMap => "configmaps",
            Self::ServiceAccount => "serviceaccounts",
            Self::Claim => "persistentvolumeclaims",
            Self::Service => "services",
        }
    }
}

/// A reference to something that must be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// To what.
    pub target: Target,
    /// Its name.
    pub name: String,
    /// The key in it that is needed, if it is one.
    pub key: Option<String>,
    /// Where it stands, for people: `env DB_PASSWORD of Deployment/webapp`.
    pub by: String,
    /// Whether pods start without it all the same.
    pub is_lenient: bool,
}

/// Everything that these objects refer to, in their order; what is `optional` is left out.
pub fn references(objects: &[Object]) -> Vec<Reference> {
    let mut found = Vec::new();
    for object in objects {
        let mut finder = Finder { object, found: &mut found };
        match object.kind() {
            "Ingress" => finder.ingress(),
            "ServiceAccount" => finder.account(),
            "StatefulSet" => {
                finder.pods();
                let service = object.text("/spec/serviceName");
                if !service.is_empty() {
                    finder.lenient(Target::Service, service, "serviceName");
                }
            }
            _ => finder.pods(),
        }
    }
    found
}

/// What of it is to be asked for, by resource and name: what is not rendered itself.
pub fn asked(references: &[Reference], rendered: &[Object]) -> BTreeSet<(&'static str, String)> {
    let names: BTreeSet<(&str, &str)> = rendered.iter().map(|object| (object.kind(), object.name())).collect();
    let is_elsewhere = |reference: &&Reference| !names.contains(&(reference.target.kind(), reference.name.as_str()));
    let asked = references.iter().filter(is_elsewhere);
    asked.map(|reference| (reference.target.resource(), reference.name.clone())).collect()
}

struct Finder<'a> {
    object: &'a Object,
    found: &'a mut Vec<Reference>,
}

impl Finder<'_> {
    fn push(&mut self, target: Target, from: &Value, name_key: &str, what: &str) {
        let Some(name) = from[name_key].as_str().filter(|name| !name.is_empty()) else { return };
        if from["optional"] == true {
            return;
        }
        let key = from["key"].as_str().map(str::to_owned);
        let by = format!("{what} of {}", self.object);
        self.found.push(Reference { target, name: name.to_owned(), key, by, is_lenient: false });
    }

    fn lenient(&mut self, target: Target, name: &str, what: &str) {
        let by = format!("{what} of {}", self.object);
        self.found.push(Reference { target, name: name.to_owned(), key: None, by, is_lenient: true });
    }

    /// The pods of whatever has some.
    fn pods(&mut self) {
        let path = if self.object.kind() == "Pod" {
            "/spec".to_owned()
        } else {
            format!("{}/spec", template_path(self.object))
        };
        let Some(pod) = self.object.json().pointer(&path).filter(|pod| pod["containers"].is_array()) else { return };
        for list in ["initContainers", "containers"] {
            for container in pod[list].as_array().into_iter().flatten() {
                self.container(container);
            }
        }
        for volume in pod["volumes"].as_array().into_iter().flatten() {
            self.volume(volume);
        }
        for secret in pod["imagePullSecrets"].as_array().into_iter().flatten() {
            if let Some(name) = secret["name"].as_str() {
                self.lenient(Target::Secret, name, "imagePullSecrets");
            }
        }
        // The namespace's own comes with it.
        if let Some(name) = pod["serviceAccountName"].as_str().filter(|name| *name != "default" && !name.is_empty()) {
            self.push(Target::ServiceAccount, &serde_json::json!({"name": name}), "name", "serviceAccountName");
        }
    }

    fn container(&mut self, container: &Value) {
        for variable in container["env"].as_array().into_iter().flatten() {
            let what = format!("env {}", variable["name"].as_str().unwrap_or_default());
            self.push(Target::Secret, &variable["valueFrom"]["secretKeyRef"], "name", &what);
            self.push(Target::ConfigMap, &variable["valueFrom"]["configMapKeyRef"], "name", &what);
        }
        for source in container["envFrom"].as_array().into_iter().flatten() {
            self.push(Target::Secret, &source["secretRef"], "name", "envFrom");
            self.push(Target::ConfigMap, &source["configMapRef"], "name", "envFrom");
        }
    }

    fn volume(&mut self, volume: &Value) {
        let what = format!("volume {}", volume["name"].as_str().unwrap_or_default());
        self.files(Target::Secret, &volume["secret"], "secretName", &what);
        self.files(Target::ConfigMap, &volume["configMap"], "name", &what);
        for source in volume["projected"]["sources"].as_array().into_iter().flatten() {
            self.files(Target::Secret, &source["secret"], "name", &what);
            self.files(Target::ConfigMap, &source["configMap"], "name", &what);
        }
        self.push(Target::Claim, &volume["persistentVolumeClaim"], "claimName", &what);
        self.push(Target::Secret, &volume["csi"]["nodePublishSecretRef"], "name", &what);
        for driver in ["flexVolume", "cephfs", "rbd", "iscsi", "scaleIO", "storageos"] {
            self.push(Target::Secret, &volume[driver]["secretRef"], "name", &what);
        }
        self.push(Target::Secret, &volume["azureFile"], "secretName", &what);
    }

    /// A volume of files: all keys, or those that it lists.
    fn files(&mut self, target: Target, source: &Value, name_key: &str, what: &str) {
        let items = source["items"].as_array().filter(|items| !items.is_empty());
        for item in items.into_iter().flatten() {
            let mut one = source.clone();
            one["key"] = item["key"].clone();
            self.push(target, &one, name_key, what);
        }
        if items.is_none() {
            self.push(target, source, name_key, what);
        }
    }

    fn ingress(&mut self) {
        let annotations = self.object.json()["metadata"]["annotations"].as_object();
        let is_made = annotations.is_some_and(|map| {
            map.keys().any(|key| key.starts_with("cert-manager.io/") || key == "kubernetes.io/tls-acme")
        });
        for tls in self.object.list("/spec/tls") {
            if let Some(name) = tls["secretName"].as_str().filter(|name| !is_made && !name.is_empty()) {
                self.lenient(Target::Secret, name, "tls");
            }
        }
        let paths =
            self.object.list("/spec/rules").iter().filter_map(|rule| rule["http"]["paths"].as_array()).flatten();
        let backends = paths.map(|path| &path["backend"]).chain([&self.object.json()["spec"]["defaultBackend"]]);
        let names =
            backends.filter_map(|backend| backend["service"]["name"].as_str().or(backend["serviceName"].as_str()));
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.dedup();
        for name in names {
            self.lenient(Target::Service, &name, "backend");
        }
    }

    fn account(&mut self) {
        for secret in self.object.list("/imagePullSecrets") {
            if let Some(name) = secret["name"].as_str() {
                self.lenient(Target::Secret, name, "imagePullSecrets");
            }
        }
    }
}

/// Whether a rendered object will make this Secret or ConfigMap once it is there. Names by the makers' own documentation: external-secrets.io
/// `spec.target.name`, bitnami.com's SealedSecret `spec.template.metadata.name`, cert-manager.io's Certificate `spec.secretName`,
/// secrets-store.csi.x-k8s.io `spec.secretObjects[].secretName`, secrets.hashicorp.com `spec.destination.name`; and each its own name.
pub fn is_maker(object: &Object, reference: &Reference) -> bool {
    let is_custom = object.group().contains('.') && !object.group().ends_with(".k8s.io");
    let is_provider = object.group() == "secrets-store.csi.x-k8s.io";
    if (!is_custom && !is_provider) || reference.target != Target::Secret || Kind::of(object).is_some() {
        return false;
    }
    let named = ["/spec/target/name", "/spec/template/metadata/name", "/spec/secretName", "/spec/destination/name"];
    let named: Vec<&str> = named.iter().map(|path| object.text(path)).filter(|name| !name.is_empty()).collect();
    let listed = object.list("/spec/secretObjects").iter().filter_map(|one| one["secretName"].as_str());
    let own = object.kind().contains("Secret") || object.kind() == "OnePasswordItem";
    named.contains(&reference.name.as_str())
        || listed.into_iter().any(|name| name == reference.name)
        || (named.is_empty() && own && object.name() == reference.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn everything_that_a_pod_refers_to_is_found() {
        let pod = json!({
        "serviceAccountName": "acc",
        "imagePullSecrets": [{"name": "pull"}],
        "initContainers": [{"name": "i", "envFrom": [{"configMapRef": {"name": "all"}}, {"secretRef": {"name": "maybe", "optional": true}}]}],
        "containers": [{"name": "w", "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}, {"name": "B", "value": "x"}]}],
        "volumes": [
            {"name": "v", "secret": {"secretName": "files", "items": [{"key": "a", "path": "a"}, {"key": "b", "path": "b"}]}},
            {"name": "p", "projected": {"sources": [{"configMap": {"name": "part"}}, {"serviceAccountToken": {"path": "t"}}]}},
            {"name": "c", "persistentVolumeClaim": {"claimName": "data"}},
        ]});
        let object = json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "w"},
            "spec": {"jobTemplate": {"spec": {"template": {"spec": pod}}}}});
        let object = Object::new(object).unwrap();
        let found: Vec<String> = references(&[object])
            .iter()
            .map(|r| format!("{} {} {} {}", r.target.kind(), r.name, r.key.as_deref().unwrap_or("-"), r.by))
            .collect();
        assert_eq!(
            found,
            [
                "ConfigMap all - envFrom of CronJob/w",
                "Secret db password env A of CronJob/w",
                "Secret files a volume v of CronJob/w",
                "Secret files b volume v of CronJob/w",
                "ConfigMap part - volume p of CronJob/w",
                "PersistentVolumeClaim data - volume c of CronJob/w",
                "Secret pull - imagePullSecrets of CronJob/w",
                "ServiceAccount acc - serviceAccountName of CronJob/w",
            ]
        );
    }

    #[test]
    fn what_will_be_made_is_known() {
        let maker = |api: &str, kind: &str, spec: Value| {
            Object::new(json!({"apiVersion": api, "kind": kind, "metadata": {"name": "db"}, "spec": spec})).unwrap()
        };
        let reference = |name: &str| Reference {
            target: Target::Secret,
            name: name.into(),
            key: None,
            by: String::new(),
            is_lenient: false,
        };
        let external = maker("external-secrets.io/v1", "ExternalSecret", json!({"target": {"name": "made"}}));
        assert!(is_maker(&external, &reference("made")) && !is_maker(&external, &reference("db")));
        let external = maker("external-secrets.io/v1beta1", "ExternalSecret", json!({}));
        assert!(is_maker(&external, &reference("db")) && !is_maker(&external, &reference("made")));
        let certificate = maker("cert-manager.io/v1", "Certificate", json!({"secretName": "tls"}));
        assert!(is_maker(&certificate, &reference("tls")) && !is_maker(&certificate, &reference("db")));
        assert!(!is_maker(&maker("v1", "Secret", json!({})), &reference("db")));
    }
}
