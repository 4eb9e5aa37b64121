//! Reference log densities of truncated distributions: scipy 1.17.1 (numpy 2.4.6); (distribution, parameters with bounds, value, log density).

#[rustfmt::skip]
pub(super) const TRUNCATED: &[(&str, &[f64], f64, f64)] = &[
    ("Normal", &[0.0, 1.0, 0.0, f64::INFINITY], 0.7, -0.4707913526447274),
    ("Normal", &[0.3, 1.7, -1.0, 2.5], 1.1, -1.1745783798599387),
    ("Normal", &[0.0, 1.0, 30.0, f64::INFINITY], 30.01, 3.1022554231384776),
    ("Normal", &[0.0, 1.0, f64::NEG_INFINITY, -8.0], -8.3, -0.35050137329012876),
    ("Normal", &[1.0, 2.0, f64::NEG_INFINITY, f64::INFINITY], 0.5, -1.643335713764618),
    ("Normal", &[0.0, 1.0, 5.0, 5.5], 5.2, 0.6946022780666139),
    ("Cauchy", &[0.0, 2.5, 0.0, f64::INFINITY], 0.7, -1.4433518983395155),
    ("Cauchy", &[0.3, 1.7, -1.0, 2.5], 1.1, -1.179037342256866),
    ("Cauchy", &[0.0, 1.0, 100.0, f64::INFINITY], 120.0, -4.969849409720314),
    ("Cauchy", &[0.0, 1.0, f64::NEG_INFINITY, -50.0], -60.0, -4.276810547992842),
    ("StudentT", &[3.0, 0.0, 2.5, 0.0, f64::INFINITY], 0.7, -1.2756277865800008),
    ("StudentT", &[4.5, 0.3, 1.7, -1.0, 2.5], 1.1, -1.1742504210000722),
    ("StudentT", &[3.0, 0.0, 1.0, 50.0, f64::INFINITY], 60.0, -3.542923730539498),
    ("StudentT", &[7.0, 0.0, 1.0, f64::NEG_INFINITY, -3.0], -3.3, -0.09979307021910891),
];
