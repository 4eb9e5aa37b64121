//! Files of parameters: what is written comes back to the bit, and what does not fit is refused.

use crate::networks::{Mlp, Network, WeightsError, load, save};

fn path(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("ppl-core-{}-{name}.safetensors", std::process::id()))
}

#[test]
fn parameters_come_back_to_the_bit() {
    let path = path("bits");
    let mut network = Mlp::new(&[5, 7, 3]).build::<f32>(1).unwrap();
    let odd = [f32::NAN, f32::from_bits(0x7f80_0001), -0.0, f32::INFINITY, f32::MIN_POSITIVE / 4.0];
    network.parameters_mut()[..5].copy_from_slice(&odd);
    save(&network, &path).unwrap();
    let mut other = Mlp::new(&[5, 7, 3]).build::<f32>(2).unwrap();
    load(&mut other, &path).unwrap();
    let bits = |network: &dyn Network<f32>| network.parameters().iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&network), bits(&other));
    let text = std::fs::read(&path).unwrap();
    let header = String::from_utf8_lossy(&text[8..]).into_owned();
    for name in ["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"] {
        assert!(header.contains(name), "{header}");
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn files_that_do_not_fit_are_refused_and_change_nothing() {
    let path = path("errors");
    save(&Mlp::new(&[5, 7, 3]).build::<f64>(1).unwrap(), &path).unwrap();
    let shown = path.display().to_string();
    let refused = |sizes: &[usize]| {
        let mut network = Mlp::new(sizes).build::<f64>(2).unwrap();
        let before = network.parameters().to_vec();
        let error = load(&mut network, &path).unwrap_err();
        assert_eq!(before, network.parameters());
        error.to_string()
    };
    assert_eq!(
        refused(&[5, 8, 3]),
        format!("{shown}: the tensor `layers.0.weight` has shape [7, 5], but the network has [8, 5]")
    );
    assert!(refused(&[5, 7]).starts_with(&format!("{shown}: the tensor `layers.1.bias` is not one of the network")));
    assert_eq!(
        refused(&[5, 7, 3, 3]),
        format!(
            "{shown}: there is no tensor `layers.2.weight`; the file has layers.0.bias, layers.0.weight, layers.1.bias, layers.1.weight"
        )
    );
    let mut single = Mlp::new(&[5, 7, 3]).build::<f32>(2).unwrap();
    let error = load(&mut single, &path).unwrap_err();
    let message = format!("{shown}: the tensor `layers.0.weight` has elements of type F64, but the network has F32");
    assert_eq!(error.to_string(), message);
    std::fs::write(&path, b"not of the format").unwrap();
    assert!(matches!(load(&mut single, &path), Err(WeightsError::Unreadable { .. })));
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(load(&mut single, &path), Err(WeightsError::Unreadable { .. })));
}
