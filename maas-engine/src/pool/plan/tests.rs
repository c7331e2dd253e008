use super::*;

#[test]
fn what_was_refused_is_not_announced_because_another_copy_planned_it() {
    let key = (
        IndexName::new("copy").unwrap(),
        DocumentId::new("a").unwrap(),
    );
    let report = Announcement {
        subject: "copy".to_owned(),
        document_class: "Copy".to_owned(),
    };
    let mut plan = Plan::default();
    plan.see(&key, Some(report), Some(Action::New));
    let of_the_other = plan.debt();
    plan.refused(&key);
    plan.owe(of_the_other.clone());
    assert!(plan.owed().is_empty());
    assert!(plan.debt().is_empty());
    // Whoever comes later does not know, and sees for itself.
    assert_eq!(Plan::after(of_the_other).owed().len(), 1);
}
