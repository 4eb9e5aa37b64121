//! A module of dfdx as a layer.

use std::convert::Infallible;
use std::fmt::Debug;

use dfdx::nn::Module;
use dfdx::nn::tensor_collection::{
    RecursiveWalker, TensorCollection, TensorOptions, TensorVisitor, ViewTensorMut, ViewTensorName, ViewTensorRef,
};
use dfdx::shapes::{Axes2, Const, Dtype, HasShape as _, Shape};
use dfdx::tensor::{Cpu, Gradients, HasErr, NoneTape, OwnedTape, Tensor, TensorFromVec, Trace};
use dfdx::tensor_ops::{Backward, Device, SumTo, TryMul};

use super::{Layer, NetworkError, ParameterTensor, Pass, Work};
use crate::kernel::Real;

/// A module of dfdx that takes rows of `I` features and gives rows of `O`, such as a tuple of its layers.
///
/// The parameters to start from are those of the module, whatever the key. Each pass copies the parameters into the module; the pullback runs it once more with
/// a tape. Modules that act differently while they are learned, such as dropout, implement `ModuleMut` alone and are not taken: put
/// [`Dropout`](super::Dropout) after them. Where a module fails, its results are not a number, which a fit names.
///
/// # Examples
/// ```
/// use ppl_core::networks::{DfdxLayer, Network, Parameterized, Sequential, Work};
/// use ppl_core::tensor::dfdx::prelude::{Cpu, DeviceBuildExt, Linear, Tanh};
/// let module = Cpu::default().build_module::<(Linear<3, 8>, Tanh, Linear<8, 2>), f64>();
/// let network = Parameterized::<f64>::initialize(Sequential::new(DfdxLayer::<3, 2, _>::new(module)?), 1);
/// assert_eq!(network.parameters().len(), 3 * 8 + 8 + 8 * 2 + 2);
/// let mut y = [0.0; 4];
/// network.forward(&[0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 2, &mut Work::new(), &mut y)?;
/// # Ok::<(), ppl_core::networks::NetworkError>(())
/// ```
#[derive(Clone, Debug)]
pub struct DfdxLayer<const I: usize, const O: usize, M> {
    module: M,
}

impl<const I: usize, const O: usize, M> DfdxLayer<I, O, M> {
    /// Of this module.
    ///
    /// # Errors
    /// [`NetworkError::ZeroSize`].
    pub fn new(module: M) -> Result<Self, NetworkError> {
        for (size, value) in [("the number of inputs", I), ("the number of outputs", O)] {
            if value == 0 {
                return Err(NetworkError::ZeroSize { layer: "dfdx", size });
            }
        }
        Ok(DfdxLayer { module })
    }

    /// The module with these parameters.
    fn with<E: Dtype>(&self, parameters: &[E]) -> M
    where
        Cpu: Device<E>,
        M: TensorCollection<E, Cpu> + Clone,
    {
        let mut module = self.module.clone();
        let Ok(_) = M::iter_tensors(&mut RecursiveWalker { m: &mut module, f: &mut Put { left: parameters } });
        module
    }
}

type Error = <Cpu as HasErr>::Err;
/// Rows of features, recorded or not.
type Rows<const N: usize, E, T = NoneTape> = Tensor<(usize, Const<N>), E, Cpu, T>;

impl<const I: usize, const O: usize, E, M> Layer<E> for DfdxLayer<I, O, M>
where
    E: Real + Dtype,
    Cpu: Device<E>,
    M: TensorCollection<E, Cpu> + Clone + Debug + Send + Sync,
    M: Module<Rows<I, E>, Output = Rows<O, E>, Error = Error>,
    M: Module<Rows<I, E, OwnedTape<E, Cpu>>, Output = Rows<O, E, OwnedTape<E, Cpu>>, Error = Error>,
{
    fn kind(&self) -> &'static str {
        "dfdx"
    }

    fn inputs(&self) -> usize {
        I
    }

    fn outputs(&self) -> usize {
        O
    }

    fn tensors(&self) -> Vec<ParameterTensor> {
        let mut list = List { all: Vec::new() };
        let Ok(_) = M::iter_tensors(&mut RecursiveWalker { m: (&self.module, String::new()), f: &mut list });
        list.all
    }

    fn initialize(&self, _key: u64, parameters: &mut [E]) {
        let Ok(_) = M::iter_tensors(&mut RecursiveWalker { m: &self.module, f: &mut Get { left: parameters } });
    }

    fn forward(&self, parameters: &[E], x: &[E], rows: usize, _work: &mut Work<E>, y: &mut [E]) {
        let applied = || {
            let x = Cpu::default().try_tensor_from_vec(x.to_vec(), (rows, Const::<I>))?;
            Ok::<_, Error>(self.with(parameters).try_forward(x)?.as_vec())
        };
        match applied() {
            Ok(values) if values.len() == y.len() => y.copy_from_slice(&values),
            _ => y.fill(Real::from_f64(f64::NAN)),
        }
    }

    fn pull(&self, parameters: &[E], pass: Pass<'_, E>, _work: &mut Work<E>, x_adjoint: Option<&mut [E]>, gradient: &mut [E]) {
        let mut pulled = || {
            let device = Cpu::default();
            let x = device.try_tensor_from_vec(pass.x.to_vec(), (pass.rows, Const::<I>))?;
            let y_adjoint = device.try_tensor_from_vec(pass.y_adjoint.to_vec(), (pass.rows, Const::<O>))?;
            let module = self.with(parameters);
            let y = module.try_forward(x.leaky_trace())?;
            let mut gradients = y.try_mul(y_adjoint)?.try_sum::<(), Axes2<0, 1>>()?.try_backward()?;
            gradients.try_alloc_for(&x)?;
            let of_x = gradients.get(&x).as_vec();
            M::iter_tensors(&mut RecursiveWalker { m: &module, f: &mut Add { gradients, left: &mut *gradient } })?;
            Ok::<_, Error>(of_x)
        };
        let of_x = pulled();
        let of_x = of_x.unwrap_or_else(|_| {
            let nan: E = Real::from_f64(f64::NAN);
            gradient.fill(nan);
            vec![nan; pass.x.len()]
        });
        for (to, from) in x_adjoint.into_iter().flatten().zip(of_x) {
            *to += from;
        }
    }
}

/// The tensors that are learned, one after the other.
struct List {
    all: Vec<ParameterTensor>,
}

impl<E: Dtype> TensorVisitor<E, Cpu> for List
where
    Cpu: Device<E>,
{
    type Viewer = (ViewTensorRef, ViewTensorName);
    type Err = Infallible;
    type E2 = E;
    type D2 = Cpu;

    fn visit<S: Shape>(
        &mut self,
        options: TensorOptions<S, E, Cpu>,
        (tensor, name): (&Tensor<S, E, Cpu>, String),
    ) -> Result<Option<Tensor<S, E, Cpu>>, Infallible> {
        if options.do_gradient_update {
            let start = self.all.last().map_or(0, |last| last.range.end);
            let shape: Vec<usize> = tensor.shape().concrete().into_iter().collect();
            let end = start + shape.iter().product::<usize>();
            self.all.push(ParameterTensor { name: name.trim_matches('.').to_owned(), shape, range: start..end });
        }
        Ok(None)
    }
}

/// Writes parameters into a module.
struct Put<'a, E> {
    left: &'a [E],
}

impl<E: Dtype> TensorVisitor<E, Cpu> for Put<'_, E>
where
    Cpu: Device<E>,
{
    type Viewer = ViewTensorMut;
    type Err = Infallible;
    type E2 = E;
    type D2 = Cpu;

    fn visit<S: Shape>(
        &mut self,
        options: TensorOptions<S, E, Cpu>,
        tensor: &mut Tensor<S, E, Cpu>,
    ) -> Result<Option<Tensor<S, E, Cpu>>, Infallible> {
        if options.do_gradient_update {
            let (own, left) = self.left.split_at(tensor.shape().num_elements());
            tensor.copy_from(own);
            self.left = left;
        }
        Ok(None)
    }
}

/// Reads the parameters of a module.
struct Get<'a, E> {
    left: &'a mut [E],
}

impl<E: Dtype> TensorVisitor<E, Cpu> for Get<'_, E>
where
    Cpu: Device<E>,
{
    type Viewer = ViewTensorRef;
    type Err = Infallible;
    type E2 = E;
    type D2 = Cpu;

    fn visit<S: Shape>(
        &mut self,
        options: TensorOptions<S, E, Cpu>,
        tensor: &Tensor<S, E, Cpu>,
    ) -> Result<Option<Tensor<S, E, Cpu>>, Infallible> {
        if options.do_gradient_update {
            let values = tensor.as_vec();
            let (own, left) = std::mem::take(&mut self.left).split_at_mut(values.len());
            own.copy_from_slice(&values);
            self.left = left;
        }
        Ok(None)
    }
}

/// Adds the gradients of the parameters of a module.
struct Add<'a, E: Dtype>
where
    Cpu: Device<E>,
{
    gradients: Gradients<E, Cpu>,
    left: &'a mut [E],
}

impl<E: Dtype> TensorVisitor<E, Cpu> for Add<'_, E>
where
    Cpu: Device<E>,
{
    type Viewer = ViewTensorRef;
    type Err = Error;
    type E2 = E;
    type D2 = Cpu;

    fn visit<S: Shape>(
        &mut self,
        options: TensorOptions<S, E, Cpu>,
        tensor: &Tensor<S, E, Cpu>,
    ) -> Result<Option<Tensor<S, E, Cpu>>, Error> {
        if options.do_gradient_update {
            // What no result depends on has no gradient yet.
            self.gradients.try_alloc_for(tensor)?;
            let values = self.gradients.get(tensor).as_vec();
            let (own, left) = std::mem::take(&mut self.left).split_at_mut(values.len());
            own.iter_mut().zip(values).for_each(|(to, from)| *to += from);
            self.left = left;
        }
        Ok(None)
    }
}
