/* The Signal operators of TensorFlow Lite Micro's audio preprocessor, in integers. */
#ifndef TINYML_NN_SIGNAL_H
#define TINYML_NN_SIGNAL_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t rows;
  int32_t frames; /* a row and an inference; the input is [rows][frames][frame_step] */
  int32_t frame_size;
  int32_t frame_step;
} tinyml_nn_signal_framer;

/* Cuts a stream into frames that overlap: [rows][frames][frame_size]. `history` keeps, for each row, how many
 * samples it holds as an int32, then room for frame_size + frame_step samples and up to one more to fill the
 * word. True if all frames were complete; others keep what was there. */
bool tinyml_nn_signal_frames(const tinyml_nn_signal_framer* framer, const int16_t* input, int32_t* history,
                             int16_t* output);

/* (input * window) / 2^shift, rounded down and saturated, window by window. */
void tinyml_nn_signal_window(const int16_t* window, int32_t size, int32_t shift, const int16_t* input,
                             int16_t* output, int32_t count);

/* input * 2^bits with as many bits as the largest sample has room for; returns them. */
int32_t tinyml_nn_signal_auto_scale(const int16_t* input, int16_t* output, int32_t count);

typedef struct {
  int32_t rows;
  int32_t length;           /* samples of a row, at most 2 * points; zeros follow */
  int32_t points;           /* of the complex transform: half of the real one's size, a power of two >= 2 */
  const int16_t* order;     /* [points]: where the k-th pair of samples goes */
  const int16_t* rotations; /* [3 * points / 4][2]: e^(-2 pi i k / points) in Q15 */
  const int16_t* split;     /* [points / 2][2] */
} tinyml_nn_signal_rfft_params;

/* The transform of a real signal, divided by its size: [rows][points + 1] pairs of real and imaginary part.
 */
void tinyml_nn_signal_rfft(const tinyml_nn_signal_rfft_params* params, const int16_t* input, int16_t* output);

/* Squared magnitudes of the bins [start, end); others are 0. */
void tinyml_nn_signal_energy(const int16_t* bins, int32_t start, int32_t end, uint32_t* output,
                             int32_t count);

typedef struct {
  int32_t channels;
  const int16_t* weights;    /* of a bin in the channel above it */
  const int16_t* unweights;  /* and in the one below */
  const int16_t* first_bins; /* [channels + 1], like the next two */
  const int16_t* first_weights;
  const int16_t* widths;
} tinyml_nn_signal_filter_bank_params;

/* Weighted sums of energies: `channels` numbers of 64 bits, aligned to 4 bytes. */
void tinyml_nn_signal_filter_bank(const tinyml_nn_signal_filter_bank_params* params, const uint32_t* energies,
                                  void* output);

/* Rounded square roots of 64-bit numbers, divided by 2^shift. */
void tinyml_nn_signal_square_root(const void* input, int32_t shift, uint32_t* output, int32_t count);

typedef struct {
  uint32_t smoothing[2]; /* of even and of odd channels */
  uint32_t one_minus_smoothing[2];
  uint32_t min_signal_remaining;
  int32_t smoothing_bits;
  int32_t fraction_bits;
  int32_t clamping;
} tinyml_nn_signal_subtraction;

/* Subtracts a running estimate of the noise, which it updates. */
void tinyml_nn_signal_subtract_noise(const tinyml_nn_signal_subtraction* params, const uint32_t* input,
                                     uint32_t* noise, uint32_t* output, int32_t count);

/* Per-channel amplitude normalisation: gain by the noise estimate, from a table of parabolas; output may be
 * input. */
void tinyml_nn_signal_pcan(const int16_t* gains, int32_t snr_shift, const uint32_t* input,
                           const uint32_t* noise, uint32_t* output, int32_t count);

/* ln(input * 2^correction_bits) * scale, at most 32767. */
void tinyml_nn_signal_log(const int16_t log2_error[129], uint32_t correction_bits, uint32_t scale,
                          const uint32_t* input, int16_t* output, int32_t count);

#ifdef __cplusplus
}
#endif

#endif /* TINYML_NN_SIGNAL_H */
