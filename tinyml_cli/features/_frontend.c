/* Python's door to firmware/lib/audio_frontend: the tables come from Python, the arithmetic is the device's.
 * Buffers are checked against each other before use, since a wrong table would read past its end. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <string.h>

#include "audio_frontend.h"

enum { kScalars = 13, kArrays = 9 };

static int wrong(const char* what) {
  PyErr_Format(PyExc_ValueError, "%s does not fit the other arguments", what);
  return 0;
}

/* The 13 integers, in the order of AudioFrontendConfig. */
static int read_scalars(PyObject* tuple, AudioFrontendConfig* config) {
  uint16_t* const members[kScalars] = {
      &config->window_samples, &config->stride_samples, &config->fft_size,
      &config->channels,       &config->first_bin,      &config->last_bin,
      &config->even_smoothing, &config->odd_smoothing,  &config->min_signal_remaining,
      &config->smoothing_bits, &config->snr_shift,      &config->correction_bits,
      &config->log_scale_shift};
  if (PyTuple_GET_SIZE(tuple) != kScalars) return wrong("scalars");
  for (Py_ssize_t i = 0; i < kScalars; ++i) {
    const long value = PyLong_AsLong(PyTuple_GET_ITEM(tuple, i));
    if (PyErr_Occurred()) return 0;
    if (value < 0 || value > UINT16_MAX) return wrong("scalars");
    *members[i] = (uint16_t)value;
  }
  const unsigned n = config->fft_size;
  if (n < 4 || (n & (n - 1)) || n > AUDIO_FRONTEND_MAX_FFT_SIZE) return wrong("fft_size");
  if (!config->window_samples || config->window_samples > n) return wrong("window_samples");
  if (!config->stride_samples || config->stride_samples > config->window_samples)
    return wrong("stride_samples");
  if (!config->channels || config->channels > AUDIO_FRONTEND_MAX_CHANNELS) return wrong("channels");
  if (config->first_bin > config->last_bin || config->last_bin > n / 2) return wrong("last_bin");
  if (config->smoothing_bits > 31 || config->snr_shift > 63 || config->correction_bits > 31 ||
      config->log_scale_shift > 31) {
    return wrong("a shift");
  }
  return 1;
}

/* Points the config at the nine arrays and checks sizes and indices. */
static int point_at_arrays(const Py_buffer* views, AudioFrontendConfig* config) {
  const size_t points = config->fft_size / 2;
  const size_t bins = (size_t)(config->last_bin - config->first_bin);
  const size_t expected[kArrays] = {
      config->window_samples * sizeof(int16_t),
      points * sizeof(uint16_t),
      3 * points / 4 * sizeof(AudioFrontendComplex),
      points / 2 * sizeof(AudioFrontendComplex),
      (config->channels + 1u) * sizeof(uint16_t),
      bins * sizeof(uint16_t),
      bins * sizeof(uint16_t),
      AUDIO_FRONTEND_GAIN_ROWS * sizeof(AudioFrontendGain),
      AUDIO_FRONTEND_LOG2_ERROR_ROWS * sizeof(uint16_t),
  };
  for (int i = 0; i < kArrays; ++i) {
    if ((size_t)views[i].len != expected[i]) return wrong("a table");
  }
  config->window = views[0].buf;
  config->fft_order = views[1].buf;
  config->fft_twiddles = views[2].buf;
  config->split_twiddles = views[3].buf;
  config->band_widths = views[4].buf;
  config->falling = views[5].buf;
  config->rising = views[6].buf;
  config->gain = views[7].buf;
  config->log2_error = views[8].buf;
  for (size_t i = 0; i < points; ++i) {
    if (config->fft_order[i] >= points) return wrong("fft_order");
  }
  size_t sum = 0;
  for (size_t i = 0; i <= config->channels; ++i) sum += config->band_widths[i];
  return sum == bins ? 1 : wrong("band_widths");
}

/* All clips, each from a fresh start, or a single one that goes on from a noise estimate, which is replaced
 * by the one after it; runs without the interpreter lock. */
static void extract_clips(const AudioFrontendConfig* config, const int16_t* audio, size_t clips,
                          size_t samples, size_t block, uint32_t* noise, uint16_t* features) {
  AudioFrontend frontend;
  const size_t noise_bytes = config->channels * sizeof *noise;
  audio_frontend_init(&frontend, config);
  for (size_t clip = 0; clip < clips; ++clip) {
    audio_frontend_reset(&frontend);
    if (noise) memcpy(frontend.noise, noise, noise_bytes);
    for (size_t done = 0; done < samples;) {
      const size_t end = done + (samples - done < block ? samples - done : block);
      while (done < end) {
        size_t consumed;
        if (audio_frontend_process(&frontend, audio + done, end - done, &consumed, features)) {
          features += config->channels;
        }
        done += consumed;
      }
    }
    audio += samples;
    if (noise) memcpy(noise, frontend.noise, noise_bytes);
  }
}

static PyObject* run_extract(const AudioFrontendConfig* config, const Py_buffer* audio, Py_ssize_t clips,
                             Py_ssize_t block, const Py_buffer* noise, const Py_buffer* output) {
  const Py_ssize_t count = audio->len / (Py_ssize_t)sizeof(int16_t);
  if (clips < 1 || block < 1 || count % clips) return wrong("audio"), NULL;
  const Py_ssize_t samples = count / clips;
  const Py_ssize_t spare = samples - config->window_samples;
  const Py_ssize_t frames = spare < 0 ? 0 : spare / config->stride_samples + 1;
  if (output->len != clips * frames * config->channels * (Py_ssize_t)sizeof(uint16_t)) {
    return wrong("features"), NULL;
  }
  if (noise && (clips != 1 || noise->len != config->channels * (Py_ssize_t)sizeof(uint32_t))) {
    return wrong("noise"), NULL;
  }
  Py_BEGIN_ALLOW_THREADS;
  extract_clips(config, audio->buf, (size_t)clips, (size_t)samples, (size_t)block, noise ? noise->buf : NULL,
                output->buf);
  Py_END_ALLOW_THREADS;
  Py_RETURN_NONE;
}

/* The tables are let go of at the end, the other buffers by the caller. */
static PyObject* with_tables(PyObject* scalars, PyObject* arrays, const Py_buffer* audio, Py_ssize_t clips,
                             Py_ssize_t block, const Py_buffer* noise, const Py_buffer* output) {
  PyObject* result = NULL;
  Py_buffer views[kArrays];
  Py_ssize_t held = 0;
  AudioFrontendConfig config;
  if (!read_scalars(scalars, &config)) goto done;
  if (PyTuple_GET_SIZE(arrays) != kArrays) {
    wrong("arrays");
    goto done;
  }
  for (; held < kArrays; ++held) {
    if (PyObject_GetBuffer(PyTuple_GET_ITEM(arrays, held), &views[held], PyBUF_SIMPLE) < 0) goto done;
  }
  if (point_at_arrays(views, &config)) {
    result = run_extract(&config, audio, clips, block, noise, output);
  }
done:
  while (held > 0) PyBuffer_Release(&views[--held]);
  return result;
}

static PyObject* extract(PyObject* self, PyObject* args) {
  (void)self;
  PyObject *scalars, *arrays;
  Py_buffer audio, output;
  Py_ssize_t clips, block;
  if (!PyArg_ParseTuple(args, "O!O!y*nnw*", &PyTuple_Type, &scalars, &PyTuple_Type, &arrays, &audio, &clips,
                        &block, &output)) {
    return NULL;
  }
  PyObject* const result = with_tables(scalars, arrays, &audio, clips, block, NULL, &output);
  PyBuffer_Release(&audio);
  PyBuffer_Release(&output);
  return result;
}

static PyObject* resume(PyObject* self, PyObject* args) {
  (void)self;
  PyObject *scalars, *arrays;
  Py_buffer audio, noise, output;
  if (!PyArg_ParseTuple(args, "O!O!y*w*w*", &PyTuple_Type, &scalars, &PyTuple_Type, &arrays, &audio, &noise,
                        &output)) {
    return NULL;
  }
  const Py_ssize_t block = audio.len ? audio.len : 1;
  PyObject* const result = with_tables(scalars, arrays, &audio, 1, block, &noise, &output);
  PyBuffer_Release(&audio);
  PyBuffer_Release(&noise);
  PyBuffer_Release(&output);
  return result;
}

static PyObject* quantize(PyObject* self, PyObject* args) {
  (void)self;
  Py_buffer features, output;
  int multiplier, shift, zero_point;
  if (!PyArg_ParseTuple(args, "y*iiiw*", &features, &multiplier, &shift, &zero_point, &output)) return NULL;
  const int fits = features.len == 2 * output.len && multiplier >= 0 && multiplier <= UINT16_MAX &&
                   shift >= 1 && shift <= 31 && zero_point >= INT8_MIN && zero_point <= INT8_MAX;
  if (fits) {
    audio_frontend_quantize(features.buf, (size_t)output.len, (uint16_t)multiplier, (unsigned)shift,
                            zero_point, output.buf);
  } else {
    wrong("features, multiplier, shift, zero_point or output");
  }
  PyBuffer_Release(&features);
  PyBuffer_Release(&output);
  return fits ? Py_NewRef(Py_None) : NULL;
}

static PyMethodDef kMethods[] = {
    {"extract", extract, METH_VARARGS,
     "extract(scalars, arrays, audio, clips, block_samples, features): fills uint16 features from int16 "
     "audio."},
    {"resume", resume, METH_VARARGS,
     "resume(scalars, arrays, audio, noise, features): the same of int16 audio that goes on, from the uint32 "
     "noise estimate of each channel, which becomes the one after it."},
    {"quantize", quantize, METH_VARARGS,
     "quantize(features, multiplier, shift, zero_point, output): fills int8 output from uint16 features."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef kModule = {PyModuleDef_HEAD_INIT,
                                     "tinyml_cli.features._frontend",
                                     "The firmware's audio front end.",
                                     -1,
                                     kMethods,
                                     0,
                                     0,
                                     0,
                                     0};

PyMODINIT_FUNC PyInit__frontend(void) {
  return PyModule_Create(&kModule);
}
