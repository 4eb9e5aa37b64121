//! Elements as bytes of files: the format of crate `safetensors`.

#[cfg(feature = "files")]
use safetensors::tensor::Dtype;

/// An element type that files hold.
pub trait Stored: Sized {
    /// What files call it.
    #[cfg(feature = "files")]
    const DTYPE: Dtype;
    /// Appends its bytes.
    fn put(self, bytes: &mut Vec<u8>);
    /// Of as many bytes as an element has; of any other number, zero.
    fn get(bytes: &[u8]) -> Self;
}

macro_rules! stored {
    ($element:ty, $dtype:ident) => {
        impl Stored for $element {
            #[cfg(feature = "files")]
            const DTYPE: Dtype = Dtype::$dtype;

            fn put(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }

            fn get(bytes: &[u8]) -> Self {
                bytes.try_into().map_or(0.0, <$element>::from_le_bytes)
            }
        }
    };
}

stored!(f32, F32);
stored!(f64, F64);
