//! The pictures of a pipeline.

use maas_model::pipeline::{Graph, Pipeline};

use crate::correct::env;

fn complete() -> Pipeline {
    Pipeline::from_text("test.yaml", include_str!("complete.yaml"), &env)
        .unwrap()
        .0
}

#[test]
fn the_text_names_every_hop() {
    let expected = "\
interface PRIP -> raw-prip
  new.raw.data.prip -> collect-new.raw.data.prip
interface fetched-only -> \n  file.raw -> files
pool consolidate: queue collect-new.raw.data.prip: ECHO, FORGET
  new.product, update.product -> etl-product
  new.container -> other systems
pool consolidate: queue files: \npool products: queue etl-product: ECHO
pool products: queue foreign: FORGET
other systems
  from.abroad.# -> foreign
";
    assert_eq!(Graph::of(&complete()).text(), expected);
}

#[test]
fn names_are_no_markup() {
    let text = include_str!("complete.yaml").replace("name: PRIP\n", "name: '<b>\"&'\n");
    let (pipeline, _) = Pipeline::from_text("test.yaml", &text, &env).unwrap();
    let graph = Graph::of(&pipeline);
    for picture in [graph.svg(), graph.mermaid()] {
        assert!(picture.contains("&lt;b&gt;&quot;&amp;"), "{picture}");
        assert!(!picture.contains("<b>"), "{picture}");
    }
}

#[test]
fn a_picture_is_always_the_same() {
    let (a, b) = (complete(), complete());
    assert_eq!(Graph::of(&a).svg(), Graph::of(&b).svg());
    assert!(
        Graph::of(&a)
            .mermaid()
            .starts_with("flowchart LR\n  n0[\"PRIP<br/>raw-prip\"]")
    );
}
