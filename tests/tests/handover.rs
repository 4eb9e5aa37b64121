//! The hidden macro of a model hands the checked model to any macro, wherever the struct is seen.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, unreachable_pub, unused_macros, unused_imports)]

use ppl_core::prelude::*;
use ppl_tests::models::Radon;

/// Callbacks of another module.
mod callbacks {
    macro_rules! text {
        ($($tokens:tt)*) => { stringify!($($tokens)*) };
    }
    macro_rules! compile {
        ({ $($model:tt)* } $($more:tt)*) => { ppl_core::model! { $($model)* } };
    }
    pub(crate) use {compile, text};
}

/// A text with a line for each statement, however `stringify!` breaks it.
fn lines(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.replace("; ", ";\n").replace("{ ", "{\n").replace(" }", "\n}").replace(";\nN]", "; N]").replace(";\nC]", "; C]")
}

#[test]
fn the_checked_model_is_handed_to_a_macro() {
    insta::assert_snapshot!(lines(Radon!(stringify! { and more })));
}

#[test]
fn a_callback_is_named_by_any_path() {
    let text = Radon!(stringify! {});
    assert_eq!(Radon!(callbacks::text! {}), text);
    assert_eq!(Radon!(crate::callbacks::text! {}), text);
    assert_eq!(Radon!(::core::stringify! {}), text);
    assert_eq!(ppl_tests::models::Radon!(self::callbacks::text! {}), text);
}

/// The model of another crate, compiled once more from what was handed over.
mod again {
    ppl_tests::models::Radon!(crate::callbacks::compile! { ignored });
    ppl_tests::models::Dose!(crate::callbacks::compile! {});
}

#[test]
fn what_is_handed_over_compiles_to_the_same_log_joint() {
    assert_eq!(again::Radon::EXPANSION, Radon::EXPANSION);
    let model = again::Dose { dose: vec![0.1, 2.0], y: vec![0.3, 0.4] };
    ppl_tests::check_model(&*model.bind().unwrap());
}

/// Models of every visibility.
mod seen {
    use ppl_core::prelude::*;

    // Used before it is declared.
    pub(crate) fn early() -> &'static str {
        Private!(stringify! {})
    }

    model! { pub Public(y: f64) { a ~ Normal(y, 1); } }
    model! { pub(crate) Crate(y: f64) { a ~ Normal(y, 1); } }
    model! { Private(y: f64) { a ~ Normal(y, 1); } }

    pub(crate) mod below {
        ppl_core::model! { pub(super) Super(y: f64) { a ~ Normal(y, 1); } }
        ppl_core::model! { pub(in crate::seen) In(y: f64) { a ~ Normal(y, 1); } }
        // A name that is taken elsewhere in the crate.
        ppl_core::model! { pub Public(y: f64) { b ~ Normal(y, 1); } }

        pub(crate) fn private() -> &'static str {
            super::Private!(stringify! {})
        }
    }

    pub(crate) fn texts() -> [&'static str; 2] {
        [below::Super!(stringify! {}), below::In!(stringify! {})]
    }
}

#[test]
fn the_macro_is_seen_where_the_struct_is() {
    use seen::{Crate, Public};
    let body = "a ~ Normal(y, 1); } }";
    for (text, head) in [
        (Public!(stringify! {}), "pub Public"),
        (Crate!(stringify! {}), "pub(crate) Crate"),
        (seen::early(), "Private"),
        (seen::below::private(), "Private"),
        (seen::texts()[0], "pub(super) Super"),
        (seen::texts()[1], "pub(in $crate::seen) In"),
    ] {
        let typed: String = text.split_whitespace().collect();
        let expected: String = format!("{{ {head}(y: f64) {{ {body}").split_whitespace().collect();
        assert_eq!(typed, expected);
    }
    assert!(seen::below::Public!(stringify! {}).contains("b ~"));
    assert_eq!(Public { y: 1.0 }.y + Crate { y: 1.0 }.y, 2.0);
}

#[test]
fn models_of_function_bodies_hand_over_too() {
    model! { pub Public(y: f64) { in_a_body ~ Normal(y, 1); } }
    model! { Private(y: f64) { in_a_body ~ Normal(y, 1); } }
    assert!(Public!(stringify! {}).contains("in_a_body"));
    {
        // It hides a model of that name outside, and so is the one thing that cannot be handed over.
        model! { Private(y: f64) { further_in ~ Normal(y, 1); } }
        assert!(Private::EXPANSION.contains("further_in"));
    }
    assert!(Private!(stringify! {}).contains("in_a_body"));
    let _ = (Public { y: 0.0 }, Private { y: 0.0 });
}

/// Declares a model, twice from one place.
macro_rules! declare {
    ($vis:vis $name:ident) => {
        ppl_core::model! {
            #[ppl(crate = ::ppl_core)]
            $vis $name(y: f64) { a ~ Normal(y, 1); }
        }
    };
}

mod declared {
    declare!(pub Twice);
    pub(crate) mod below {
        declare!(pub Twice);
    }
}

#[test]
fn models_that_a_macro_declares_hand_over_too() {
    assert!(declared::Twice!(stringify! {}).contains("Twice"));
    assert_eq!(declared::Twice!(stringify! {}), declared::below::Twice!(stringify! {}));
}
