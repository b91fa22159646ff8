// quickstart - opens a pack of Triton kernels, runs each on real input, and
// compares every element with a double-precision reference.
//
//   quickstart [quickstart.nrd [device]]
//
// The device is "auto" unless named: "cpu", "cpu:x86-64-v2", "cuda:0" ...

#include <nereid/runtime.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

// Every nereid call returns a status; a sample may simply stop at the first
// one that is not NRD_OK.
#define CHECK(expression)                                                      \
  do {                                                                         \
    nrd_status_t check_status = (expression);                                  \
    if (check_status != NRD_OK) {                                              \
      fprintf(stderr, "%s\n  %s: %s\n", #expression,                           \
              nrd_status_name(check_status), nrd_error_message());             \
      exit(1);                                                                 \
    }                                                                          \
  } while (0)

static nrd_pack_t *pack;
static nrd_device_t *device;
static int failures;

//===-- Input, output and comparison --------------------------------------===//

// A host array and its copy on the device (on "cpu" both are plain memory).
typedef struct tensor_t {
  float *host;
  void *device;
  size_t count;
} tensor_t;

// Numbers between -1 and 1 that are the same in every run.
static float next_number(void) {
  static uint64_t state = 42;
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (float)(int32_t)(state >> 32) * 0x1p-31f;
}

static tensor_t make_tensor(size_t count) {
  tensor_t tensor = {malloc(count * sizeof(float)), NULL, count};
  if (!tensor.host) {
    fprintf(stderr, "out of memory\n");
    exit(1);
  }
  CHECK(nrd_buffer_alloc(device, count * sizeof(float), &tensor.device));
  return tensor;
}

static tensor_t make_input(size_t count) {
  tensor_t tensor = make_tensor(count);
  for (size_t i = 0; i < count; i++)
    tensor.host[i] = next_number();
  CHECK(nrd_buffer_copy_to_device(device, tensor.device, tensor.host,
                                  count * sizeof(float)));
  return tensor;
}

// NaN in every element, so that one the kernel forgets to write is noticed.
static tensor_t make_output(size_t count) {
  tensor_t tensor = make_tensor(count);
  CHECK(nrd_buffer_fill(device, tensor.device, 0xff,
                        tensor.count * sizeof(float)));
  return tensor;
}

static void fetch(tensor_t tensor) {
  CHECK(nrd_buffer_copy_to_host(device, tensor.host, tensor.device,
                                tensor.count * sizeof(float)));
}

static void free_tensor(tensor_t tensor) {
  nrd_buffer_free(device, tensor.device);
  free(tensor.host);
}

// The largest error of one kernel, and the largest error in units of what
// rounding in single precision can explain (above 1: wrong).
typedef struct comparison_t {
  double error;
  double of_bound;
} comparison_t;

static void compare(comparison_t *comparison, float ours, double reference,
                    double bound) {
  double error = fabs((double)ours - reference);
  if (!(error <= HUGE_VAL)) // NaN
    error = HUGE_VAL;
  if (error > comparison->error)
    comparison->error = error;
  if (error / bound > comparison->of_bound)
    comparison->of_bound = error / bound;
}

static const double unit = 0x1p-24; // half an ulp of 1.0f

//===-- Launching ---------------------------------------------------------===//

static nrd_call_t *new_call(const char *name) {
  const nrd_kernel_t *kernel;
  nrd_call_t *call;
  CHECK(nrd_kernel_find(pack, device, name, &kernel));
  CHECK(nrd_call_create(kernel, &call));
  return call;
}

static double now(void) {
  struct timespec time;
  timespec_get(&time, TIME_UTC);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

// Runs the call twice (the second time is the time without loading) and says
// which variant of the pack it was.
static double run(nrd_call_t *call) {
  CHECK(nrd_call_bind(call));
  double seconds = 0;
  for (int i = 0; i < 2; i++) {
    double begin = now();
    CHECK(nrd_call_launch(call, NULL)); // NULL: the default stream
    CHECK(nrd_device_synchronize(device));
    seconds = now() - begin;
  }
  return seconds;
}

static void report(const nrd_kernel_t *kernel, nrd_call_t *call,
                   const char *what, double seconds, comparison_t comparison) {
  uint32_t index;
  CHECK(nrd_call_variant(call, &index));
  int right = comparison.of_bound <= 1;
  printf("%-14s %-26s %-11s %9.3f ms   max error %.2e (%3.0f%% of the bound) "
         "%s\n",
         nrd_kernel_name(kernel), what,
         nrd_kernel_variant(kernel, index)->target, seconds * 1e3,
         comparison.error, comparison.of_bound * 100, right ? "ok" : "WRONG");
  failures += !right;
}

//===-- The five kernels --------------------------------------------------===//

static const nrd_kernel_t *kernel_named(const char *name) {
  const nrd_kernel_t *kernel;
  CHECK(nrd_kernel_find(pack, device, name, &kernel));
  return kernel;
}

static void vector_add(void) {
  enum { COUNT = 1000003 }; // not a multiple of any block
  tensor_t x = make_input(COUNT), y = make_input(COUNT);
  tensor_t out = make_output(COUNT);

  // Slots are the kernel's parameters in source order. The pack knows the grid.
  nrd_call_t *call = new_call("vector_add");
  CHECK(nrd_call_set_pointer(call, 0, x.device));
  CHECK(nrd_call_set_pointer(call, 1, y.device));
  CHECK(nrd_call_set_pointer(call, 2, out.device));
  CHECK(nrd_call_set_int(call, 3, COUNT));
  double seconds = run(call);
  fetch(out);

  // One addition, rounded once.
  comparison_t comparison = {0, 0};
  for (size_t i = 0; i < COUNT; i++) {
    double reference = (double)x.host[i] + y.host[i];
    compare(&comparison, out.host[i], reference,
            unit * fabs(reference) + 0x1p-149);
  }
  report(kernel_named("vector_add"), call, "1000003", seconds, comparison);
  nrd_call_destroy(call);
  free_tensor(x), free_tensor(y), free_tensor(out);
}

static void row_softmax(void) {
  enum { ROWS = 1823, COLUMNS = 781, STRIDE = 800 };
  tensor_t in = make_input(ROWS * STRIDE);
  tensor_t out = make_output(ROWS * COLUMNS);

  nrd_call_t *call = new_call("row_softmax");
  CHECK(nrd_call_set_pointer(call, 0, out.device));
  CHECK(nrd_call_set_pointer(call, 1, in.device));
  CHECK(nrd_call_set_int(call, 2, STRIDE));
  CHECK(nrd_call_set_int(call, 3, COLUMNS));
  CHECK(nrd_call_set_int(call, 4, COLUMNS));
  CHECK(nrd_call_set_grid(call, ROWS, 1, 1)); // one program per row
  double seconds = run(call);
  fetch(out);

  // exp to 2 ulp of an argument that carries one rounding of up to 2 units, a
  // sum of COLUMNS positive terms, one division.
  comparison_t comparison = {0, 0};
  for (size_t row = 0; row < ROWS; row++) {
    const float *x = in.host + row * STRIDE;
    double highest = x[0], sum = 0;
    for (size_t i = 0; i < COLUMNS; i++)
      highest = fmax(highest, x[i]);
    for (size_t i = 0; i < COLUMNS; i++)
      sum += exp(x[i] - highest);
    for (size_t i = 0; i < COLUMNS; i++) {
      double reference = exp(x[i] - highest) / sum;
      compare(&comparison, out.host[row * COLUMNS + i], reference,
              (2 * (4 + 2) + COLUMNS + 2) * unit * reference);
    }
  }
  report(kernel_named("row_softmax"), call, "1823 x 781, padded rows", seconds,
         comparison);
  nrd_call_destroy(call);
  free_tensor(in), free_tensor(out);
}

static void layer_norm(void) {
  enum { ROWS = 1151, COLUMNS = 781 };
  const double epsilon = 1e-5;
  tensor_t x = make_input(ROWS * COLUMNS);
  tensor_t w = make_input(COLUMNS), b = make_input(COLUMNS);
  tensor_t y = make_output(ROWS * COLUMNS);
  tensor_t mean = make_output(ROWS), rstd = make_output(ROWS);

  nrd_call_t *call = new_call("layer_norm");
  void *pointers[6] = {x.device, w.device,    b.device,
                       y.device, mean.device, rstd.device};
  for (uint32_t slot = 0; slot < 6; slot++)
    CHECK(nrd_call_set_pointer(call, slot, pointers[slot]));
  CHECK(nrd_call_set_int(call, 6, COLUMNS));
  CHECK(nrd_call_set_int(call, 7, COLUMNS));
  CHECK(nrd_call_set_float(call, 8, epsilon));
  CHECK(nrd_call_set_grid(call, ROWS, 1, 1));
  double seconds = run(call);
  fetch(y), fetch(mean), fetch(rstd);

  // |x| <= 1: the mean is off by at most COLUMNS units, the variance by that
  // relatively, and rstd by half of it.
  comparison_t comparison = {0, 0};
  for (size_t row = 0; row < ROWS; row++) {
    const float *in = x.host + row * COLUMNS;
    double sum = 0, squares = 0, magnitude = 0;
    for (size_t i = 0; i < COLUMNS; i++)
      sum += in[i], magnitude += fabs(in[i]);
    double average = sum / COLUMNS;
    for (size_t i = 0; i < COLUMNS; i++)
      squares += (in[i] - average) * (in[i] - average);
    double inverse = 1 / sqrt(squares / COLUMNS + epsilon);
    double mean_bound = COLUMNS * unit * magnitude / COLUMNS;
    double inverse_bound = (COLUMNS / 2 + 8) * unit * inverse;
    compare(&comparison, mean.host[row], average, mean_bound);
    compare(&comparison, rstd.host[row], inverse, inverse_bound);
    for (size_t i = 0; i < COLUMNS; i++) {
      double scaled = (in[i] - average) * inverse * w.host[i];
      double reference = scaled + b.host[i];
      double bound = fabs(w.host[i]) * (mean_bound * inverse +
                                        fabs(in[i] - average) * inverse_bound) +
                     4 * unit * (fabs(scaled) + fabs(reference)) + 0x1p-149;
      compare(&comparison, y.host[row * COLUMNS + i], reference, bound);
    }
  }
  report(kernel_named("layer_norm"), call, "1151 x 781", seconds, comparison);
  nrd_call_destroy(call);
  free_tensor(x), free_tensor(w), free_tensor(b);
  free_tensor(y), free_tensor(mean), free_tensor(rstd);
}

static void matmul(void) {
  enum { M = 517, N = 389, K = 643 };
  tensor_t a = make_input(M * K), b = make_input(K * N);
  tensor_t c = make_output(M * N);

  // Strides of 1 are constants of the pack: their slots need no value.
  nrd_call_t *call = new_call("matmul");
  const nrd_kernel_t *kernel = kernel_named("matmul");
  CHECK(nrd_call_set_pointer(call, 0, a.device));
  CHECK(nrd_call_set_pointer(call, 1, b.device));
  CHECK(nrd_call_set_pointer(call, 2, c.device));
  const struct {
    const char *name;
    int64_t value;
  } integers[] = {{"M", M},         {"N", N},         {"K", K},
                  {"stride_am", K}, {"stride_bk", N}, {"stride_cm", N}};
  for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++) {
    uint32_t slot;
    CHECK(nrd_kernel_find_slot(kernel, integers[i].name, &slot));
    CHECK(nrd_call_set_int(call, slot, integers[i].value));
  }
  double seconds = run(call);
  fetch(c);

  // K products and additions: off by at most K units of sum |a||b|.
  comparison_t comparison = {0, 0};
  for (size_t m = 0; m < M; m++)
    for (size_t n = 0; n < N; n++) {
      double reference = 0, magnitude = 0;
      for (size_t k = 0; k < K; k++) {
        double product = (double)a.host[m * K + k] * b.host[k * N + n];
        reference += product, magnitude += fabs(product);
      }
      compare(&comparison, c.host[m * N + n], reference,
              (K + 1) * unit * magnitude);
    }
  report(kernel, call, "517 x 389 x 643", seconds, comparison);
  nrd_call_destroy(call);
  free_tensor(a), free_tensor(b), free_tensor(c);
}

static void attention(void) {
  enum { HEADS = 3, SEQUENCE = 777, WIDTH = 64, BLOCK_M = 64 };
  const size_t count = HEADS * SEQUENCE * WIDTH;
  const double scale = 0.125; // 1 / sqrt(WIDTH)
  tensor_t q = make_input(count), k = make_input(count), v = make_input(count);
  tensor_t o = make_output(count), lse = make_output(HEADS * SEQUENCE);

  nrd_call_t *call = new_call("attention_fwd");
  void *pointers[5] = {q.device, k.device, v.device, o.device, lse.device};
  for (uint32_t slot = 0; slot < 5; slot++)
    CHECK(nrd_call_set_pointer(call, slot, pointers[slot]));
  CHECK(nrd_call_set_float(call, 5, scale));
  CHECK(nrd_call_set_int(call, 6, SEQUENCE));
  CHECK(nrd_call_set_grid(call, (SEQUENCE + BLOCK_M - 1) / BLOCK_M, HEADS, 1));
  double seconds = run(call);
  fetch(o), fetch(lse);

  // A score is off by (WIDTH + 4) units of scale * sum |q||k|; its exponential
  // relatively by that much; numerator and denominator each carry it, and one
  // unit per term of their sums (rescaling included, two).
  comparison_t comparison = {0, 0};
  double *weight = malloc(SEQUENCE * sizeof(double));
  if (!weight)
    exit(1);
  for (size_t head = 0; head < HEADS; head++)
    for (size_t row = 0; row < SEQUENCE; row++) {
      size_t base = head * SEQUENCE * WIDTH;
      const float *query = q.host + base + row * WIDTH;
      double highest = -HUGE_VAL, sum = 0, score_bound = 0;
      for (size_t j = 0; j <= row; j++) { // causal
        double score = 0, magnitude = 0;
        for (size_t d = 0; d < WIDTH; d++) {
          double product = (double)query[d] * k.host[base + j * WIDTH + d];
          score += product, magnitude += fabs(product);
        }
        weight[j] = score * scale;
        highest = fmax(highest, weight[j]);
        score_bound = fmax(score_bound, (WIDTH + 4) * unit * scale * magnitude);
      }
      for (size_t j = 0; j <= row; j++)
        sum += weight[j] = exp(weight[j] - highest);
      double relative = 2 * score_bound + (2.0 * (double)row + 40) * unit;
      double log_sum = (highest + log(sum)) / log(2.0);
      compare(&comparison, lse.host[head * SEQUENCE + row], log_sum,
              2 * relative + 4 * unit * fabs(log_sum));
      for (size_t d = 0; d < WIDTH; d++) {
        double reference = 0, magnitude = 0;
        for (size_t j = 0; j <= row; j++) {
          double term = weight[j] / sum * v.host[base + j * WIDTH + d];
          reference += term, magnitude += fabs(term);
        }
        compare(&comparison, o.host[base + row * WIDTH + d], reference,
                2 * relative * magnitude);
      }
    }
  free(weight);
  report(kernel_named("attention_fwd"), call, "3 heads, 777 x 64, causal",
         seconds, comparison);
  nrd_call_destroy(call);
  free_tensor(q), free_tensor(k), free_tensor(v), free_tensor(o);
  free_tensor(lse);
}

int main(int argument_count, char **arguments) {
  const char *path = argument_count > 1 ? arguments[1] : "quickstart.nrd";
  CHECK(nrd_device_open(argument_count > 2 ? arguments[2] : "auto", &device));
  CHECK(nrd_pack_open_file(path, NULL, &pack));
  printf("device  %s: %s\n", nrd_device_name(device),
         nrd_device_description(device));
  printf("pack    %s: %zu kernels for", path, nrd_pack_kernel_count(pack));
  for (size_t i = 0; i < nrd_pack_target_count(pack); i++)
    printf(" %s", nrd_pack_target(pack, i));
  printf("\n\n");

  vector_add();
  row_softmax();
  layer_norm();
  matmul();
  attention();

  nrd_pack_close(pack);
  nrd_device_close(device);
  printf("\n%s\n", failures ? "some results are WRONG"
                            : "every result is within its rounding bound of "
                              "the double-precision reference");
  return failures != 0;
}
