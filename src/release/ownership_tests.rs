//! Who owns which field: what is taken over, and what is left.

use super::*;

fn object(managed: Value) -> Object {
    Object::new(json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "w", "labels": {"a": "1", "old": "2"}, "managedFields": managed},
        "spec": {"replicas": 2, "env": [{"name": "A"}, {"name": "OLD"}]}}))
    .unwrap()
}

fn desired() -> Object {
    Object::new(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "w", "labels": {"a": "1"}}, "spec": {"env": [{"name": "A"}]}}))
        .unwrap()
}

fn entry(manager: &str, operation: &str, fields: &Value) -> Value {
    json!({"manager": manager, "operation": operation, "apiVersion": "apps/v1", "fieldsType": "FieldsV1", "fieldsV1": fields})
}

#[test]
fn what_says_of_which_release_it_is_is_nobodys_matter() {
    let spec = json!({"f:env": {}});
    let marks =
        json!({"f:metadata": {"f:annotations": {"f:shipcat.dev/release": {}, "f:kubernetes.io/change-cause": {}}}});
    let live = object(json!([entry("shipcat", "Apply", &json!({"f:spec": spec})), entry("shipcat", "Update", &marks)]));
    assert_eq!(takeover(&live, &desired(), "now"), None);
    let other = json!({"f:metadata": {"f:annotations": {"f:other": {}}}});
    let live = object(json!([entry("shipcat", "Apply", &json!({})), entry("shipcat", "Update", &other)]));
    assert!(takeover(&live, &desired(), "now").is_some());
}

#[test]
fn what_others_made_is_taken_over_and_its_strays_go() {
    let fields = json!({
        "f:metadata": {"f:labels": {".": {}, "f:a": {}, "f:old": {}}},
        "f:spec": {"f:env": {".": {}, "k:{\"name\":\"A\"}": {".": {}, "f:name": {}}, "k:{\"name\":\"OLD\"}": {".": {}, "f:name": {}}}}});
    let live = object(json!([
        entry("kubectl-client-side-apply", "Update", &fields),
        entry("kube-controller-manager", "Update", &json!({"f:status": {}}))
    ]));
    let takeover = takeover(&live, &desired(), "now").unwrap();
    assert_eq!(takeover.from, ["kubectl-client-side-apply"]);
    let managed = takeover.managed_fields.as_array().unwrap();
    assert_eq!(managed.len(), 2);
    assert_eq!(
        (&managed[1]["manager"], &managed[1]["operation"], &managed[1]["fieldsV1"]),
        (&json!("shipcat"), &json!("Apply"), &fields)
    );
    let left = without(&live, &takeover);
    assert_eq!(left.json()["spec"], json!({"replicas": 2, "env": [{"name": "A"}]}));
    assert_eq!(left.json()["metadata"]["labels"], json!({"a": "1"}));
}

#[test]
fn a_hand_edit_since_our_last_apply_is_left_alone() {
    let ours = entry("shipcat", "Apply", &json!({"f:metadata": {"f:labels": {"f:a": {}}}}));
    let hand = entry("kubectl-edit", "Update", &json!({"f:metadata": {"f:labels": {"f:old": {}}}}));
    assert_eq!(takeover(&object(json!([ours, hand])), &desired(), "now"), None);
}

#[test]
fn our_own_update_is_folded_in_only_where_it_holds_a_field_back() {
    let ours = entry("shipcat", "Apply", &json!({"f:metadata": {"f:labels": {"f:a": {}}}}));
    let harmless = entry("shipcat", "Update", &json!({"f:spec": {"f:env": {"k:{\"name\":\"A\"}": {"f:name": {}}}}}));
    let holding = entry("shipcat", "Update", &json!({"f:metadata": {"f:labels": {"f:old": {}}}}));
    assert_eq!(takeover(&object(json!([ours.clone(), harmless])), &desired(), "now"), None);
    let taken = takeover(&object(json!([ours, holding])), &desired(), "now").unwrap();
    assert_eq!(taken.managed_fields.as_array().unwrap().len(), 1);
}

#[test]
fn only_our_own_making_is_ours_alone() {
    let ours = entry("shipcat", "Apply", &json!({"f:spec": {}}));
    let status = entry("kube-controller-manager", "Update", &json!({"f:status": {}}));
    let theirs = entry("kubectl-create", "Update", &json!({"f:spec": {}}));
    assert!(is_ours_alone(&object(json!([ours.clone(), status]))));
    assert!(!is_ours_alone(&object(json!([ours, theirs]))));
    assert!(!is_ours_alone(&object(json!([]))));
}

#[test]
fn the_tokens_of_a_service_account_are_no_strays() {
    let account = |rest: Value| {
        let mut value = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "w"}});
        value.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        Object::new(value).unwrap()
    };
    let mut live = account(json!({"secrets": [{"name": "w-token"}]}));
    live.json_mut()["metadata"]["managedFields"] = json!([entry(
        "before-first-apply",
        "Update",
        &json!({"f:secrets": {".": {}, "k:{\"name\":\"w-token\"}": {}}})
    )]);
    assert_eq!(takeover(&live, &account(json!({})), "now"), None);
    assert!(is_bare(&account(json!({}))) && !is_bare(&live));
}
