! h5r from Fortran 2008: a module over the C interface. It is compiled in the program that uses it
! (find_package(h5r) gives the target h5r::fortran), because a compiled module fits one compiler only.
!
! - Every call takes an optional `status`: H5R_OK or H5R_ERR_... . Without it an error stops the program with its message;
!   h5r_last_error() gives the message of this thread's last failed call.
! - h5r_attr_write, h5r_attr_read, h5r_dataset_write and h5r_dataset_read are generic by kind (int8 to int64, real32, real64,
!   complex of both, logical, logical(c_bool)) and rank (attributes 0 to 4, datasets 0 to 5), and also for character values of
!   rank 0 and 1. Of a dataset, shape(value) elements are written or read, from `start`, 1 in each dimension where it is absent,
!   `stride` apart. Where `start` has more dimensions than the value, it is one element in each of the last ones: a
!   field(nx, ny) goes to start=[1, 1, step]. An attribute is read as a whole: into a value of its shape, or of another rank and
!   as many elements.
! - Logical and complex values are stored as h5py does: an enumeration of FALSE and TRUE (h5r_type_logical), a compound of r and
!   i (h5r_type_complex_pair). Integers are read as logical, too (0 is false), and h5r_type_complex's elements as complex.
! - h5r_dataset_append(dataset, value) is generic in the same way, but for character values: value is one row,
!   value(:, ..., :), or several along its last dimension. h5r_dataset_append(dataset, type, rows, address) takes elements of
!   any type.
! - The same names with _variable are for values of variable length of one dimension: arrays of h5r_string, h5r_int64_sequence
!   and h5r_real64_sequence. Character arrays can be written, too, without their trailing blanks. What is read is allocated;
!   strings may have a fixed length in the file.
! - Dimensions are in Fortran's order. In the file, and for C, they are the other way round, so that elements that are
!   neighbours in memory are neighbours in the file: value(nx, ny) is a C array [ny][nx].
! - Names and paths lose trailing blanks.
module h5r
  use, intrinsic :: iso_c_binding
  use, intrinsic :: iso_fortran_env, only: int8, int16, int32, int64, real32, real64, error_unit
  implicit none
  private

  ! Handles. A default-initialised one is NULL.
  type, public :: h5r_file
    type(c_ptr) :: handle = c_null_ptr
  end type
  type, public :: h5r_object
    type(c_ptr) :: handle = c_null_ptr
  end type

  integer, parameter, public :: h5r_type_kind = c_int64_t
  ! Stand for the types of values in memory until it is known what is stored: memory_type makes them.
  integer(c_int64_t), parameter :: AS_LOGICAL = -1, AS_COMPLEX_32 = -2, AS_COMPLEX_64 = -3

! begin constants
  integer(c_int64_t), parameter, public :: H5R_KIB = 1024_c_int64_t
  integer(c_int64_t), parameter, public :: H5R_MIB = 1024_c_int64_t**2
  integer(c_int64_t), parameter, public :: H5R_GIB = 1024_c_int64_t**3
  integer(c_int32_t), parameter, public :: H5R_MAX_RANK = 32
  integer(c_int32_t), parameter, public :: H5R_PAD_NULL_TERMINATED = 0
  integer(c_int32_t), parameter, public :: H5R_PAD_NULL = 1
  integer(c_int32_t), parameter, public :: H5R_PAD_SPACE = 2
  integer(c_int32_t), parameter, public :: H5R_CHARSET_ASCII = 0
  integer(c_int32_t), parameter, public :: H5R_CHARSET_UTF8 = 1
  integer(c_int32_t), parameter, public :: H5R_CLASS_INTEGER = 0
  integer(c_int32_t), parameter, public :: H5R_CLASS_FLOAT = 1
  integer(c_int32_t), parameter, public :: H5R_CLASS_TIME = 2
  integer(c_int32_t), parameter, public :: H5R_CLASS_STRING = 3
  integer(c_int32_t), parameter, public :: H5R_CLASS_BITFIELD = 4
  integer(c_int32_t), parameter, public :: H5R_CLASS_OPAQUE = 5
  integer(c_int32_t), parameter, public :: H5R_CLASS_COMPOUND = 6
  integer(c_int32_t), parameter, public :: H5R_CLASS_REFERENCE = 7
  integer(c_int32_t), parameter, public :: H5R_CLASS_ENUM = 8
  integer(c_int32_t), parameter, public :: H5R_CLASS_VARIABLE_LENGTH = 9
  integer(c_int32_t), parameter, public :: H5R_CLASS_ARRAY = 10
  integer(c_int32_t), parameter, public :: H5R_CLASS_COMPLEX = 11
  integer(c_int32_t), parameter, public :: H5R_BYTES_LITTLE = 0
  integer(c_int32_t), parameter, public :: H5R_BYTES_BIG = 1
  integer(c_int32_t), parameter, public :: H5R_BYTES_VAX = 2
  integer(c_int32_t), parameter, public :: H5R_NORM_NONE = 0
  integer(c_int32_t), parameter, public :: H5R_NORM_STORED = 1
  integer(c_int32_t), parameter, public :: H5R_NORM_IMPLIED = 2
  integer(c_int32_t), parameter, public :: H5R_REF_OBJECT = 0
  integer(c_int32_t), parameter, public :: H5R_REF_REGION = 1
  integer(c_int32_t), parameter, public :: H5R_REF_STANDARD_OBJECT = 2
  integer(c_int32_t), parameter, public :: H5R_REF_STANDARD_REGION = 3
  integer(c_int32_t), parameter, public :: H5R_REF_STANDARD_ATTR = 4
  integer(c_int32_t), parameter, public :: H5R_FORMAT_V18 = 0
  integer(c_int32_t), parameter, public :: H5R_FORMAT_V110 = 1
  integer(c_int32_t), parameter, public :: H5R_LOCKING_ENVIRONMENT = 0
  integer(c_int32_t), parameter, public :: H5R_LOCKING_OFF = 1
  integer(c_int32_t), parameter, public :: H5R_LOCKING_ON = 2
  integer(c_int32_t), parameter, public :: H5R_DURABILITY_PROCESS = 0
  integer(c_int32_t), parameter, public :: H5R_DURABILITY_POWER = 1
  integer(c_int32_t), parameter, public :: H5R_DURABILITY_NONE = 2
  integer(c_int32_t), parameter, public :: H5R_CREATION_ORDER_NONE = 0
  integer(c_int32_t), parameter, public :: H5R_CREATION_ORDER_TRACKED = 1
  integer(c_int32_t), parameter, public :: H5R_CREATION_ORDER_INDEXED = 2
  integer(c_int32_t), parameter, public :: H5R_ORDER_NATIVE = 0
  integer(c_int32_t), parameter, public :: H5R_ORDER_NAME = 1
  integer(c_int32_t), parameter, public :: H5R_ORDER_NAME_REVERSE = 2
  integer(c_int32_t), parameter, public :: H5R_ORDER_CREATION = 3
  integer(c_int32_t), parameter, public :: H5R_ORDER_CREATION_REVERSE = 4
  integer(c_int32_t), parameter, public :: H5R_IO_STANDARD = 0
  integer(c_int32_t), parameter, public :: H5R_IO_MMAP = 1
  integer(c_int32_t), parameter, public :: H5R_IO_DIRECT = 2
  integer(c_int32_t), parameter, public :: H5R_IO_URING = 3
  integer(c_int32_t), parameter, public :: H5R_KIND_GROUP = 0
  integer(c_int32_t), parameter, public :: H5R_KIND_DATASET = 1
  integer(c_int32_t), parameter, public :: H5R_KIND_TYPE = 2
  integer(c_int64_t), parameter, public :: H5R_NO_TIME = -1_c_int64_t
  integer(c_int32_t), parameter, public :: H5R_FILTER_DEFLATE = 1
  integer(c_int32_t), parameter, public :: H5R_FILTER_SHUFFLE = 2
  integer(c_int32_t), parameter, public :: H5R_FILTER_FLETCHER32 = 3
  integer(c_int32_t), parameter, public :: H5R_FILTER_SZIP = 4
  integer(c_int32_t), parameter, public :: H5R_FILTER_NBIT = 5
  integer(c_int32_t), parameter, public :: H5R_FILTER_SCALE_OFFSET = 6
  integer(c_int32_t), parameter, public :: H5R_FILTER_LZF = 32000
  integer(c_int32_t), parameter, public :: H5R_FILTER_BLOSC = 32001
  integer(c_int32_t), parameter, public :: H5R_FILTER_BITSHUFFLE = 32008
  integer(c_int32_t), parameter, public :: H5R_FILTER_LZ4 = 32004
  integer(c_int32_t), parameter, public :: H5R_FILTER_ZSTD = 32015
  integer(c_int32_t), parameter, public :: H5R_SCALE_OFFSET_DECIMAL = 0
  integer(c_int32_t), parameter, public :: H5R_SCALE_OFFSET_INTEGER = 2
  integer(c_int32_t), parameter, public :: H5R_LAYOUT_COMPACT = 0
  integer(c_int32_t), parameter, public :: H5R_LAYOUT_CONTIGUOUS = 1
  integer(c_int32_t), parameter, public :: H5R_LAYOUT_CHUNKED = 2
  integer(c_int32_t), parameter, public :: H5R_LAYOUT_VIRTUAL = 3
  integer(c_int32_t), parameter, public :: H5R_LAYOUT_EXTERNAL = 4
  integer(c_int32_t), parameter, public :: H5R_ALLOCATION_DEFAULT = 0
  integer(c_int32_t), parameter, public :: H5R_ALLOCATION_LATE = 1
  integer(c_int32_t), parameter, public :: H5R_ALLOCATION_EARLY = 2
  integer(c_int32_t), parameter, public :: H5R_FILL_IF_SET = 0
  integer(c_int32_t), parameter, public :: H5R_FILL_ALWAYS = 1
  integer(c_int32_t), parameter, public :: H5R_FILL_NEVER = 2
  integer(c_int64_t), parameter, public :: H5R_UNLIMITED = -1_c_int64_t
  integer(c_int32_t), parameter, public :: H5R_SPACE_NULL = 2
  integer(c_int32_t), parameter, public :: H5R_SPACE_SCALAR = 0
  integer(c_int32_t), parameter, public :: H5R_SPACE_SIMPLE = 1
  integer(c_int64_t), parameter, public :: H5R_NO_CREATION_ORDER = -1_c_int64_t
  integer(c_int32_t), parameter, public :: H5R_LINK_HARD = 0
  integer(c_int32_t), parameter, public :: H5R_LINK_SOFT = 1
  integer(c_int32_t), parameter, public :: H5R_LINK_EXTERNAL = 2
  integer(c_int32_t), parameter, public :: H5R_LINK_USER = 3
  integer(c_int32_t), parameter, public :: H5R_SELECTED_NONE = 0
  integer(c_int32_t), parameter, public :: H5R_SELECTED_ALL = 1
  integer(c_int32_t), parameter, public :: H5R_SELECTED_POINTS = 2
  integer(c_int32_t), parameter, public :: H5R_SELECTED_BLOCKS = 3
  integer(c_int32_t), parameter, public :: H5R_MODE_NONE = 0
  integer(c_int32_t), parameter, public :: H5R_MODE_LAZY = 1
  integer(c_int32_t), parameter, public :: H5R_MODE_INCREMENTAL = 2
  integer(c_int32_t), parameter, public :: H5R_MODE_SMART = 3
  integer(c_int64_t), parameter, public :: H5R_ALLOW_NONE = 1_c_int64_t
  integer(c_int64_t), parameter, public :: H5R_ALLOW_LAZY = 2_c_int64_t
  integer(c_int64_t), parameter, public :: H5R_ALLOW_INCREMENTAL = 4_c_int64_t
  integer(c_int64_t), parameter, public :: H5R_ALLOW_ALL = 7_c_int64_t
  integer(c_int32_t), parameter, public :: H5R_SEVERITY_ERROR = 0
  integer(c_int32_t), parameter, public :: H5R_SEVERITY_WARNING = 1
  integer(c_int32_t), parameter, public :: H5R_SEVERITY_UNCHECKED = 2
  integer(c_int32_t), parameter, public :: H5R_FINDING_STRUCTURE = 0
  integer(c_int32_t), parameter, public :: H5R_FINDING_CHECKSUM = 1
  integer(c_int32_t), parameter, public :: H5R_FINDING_BOUND = 2
  integer(c_int32_t), parameter, public :: H5R_FINDING_COUNT = 3
  integer(c_int32_t), parameter, public :: H5R_FINDING_ORDER = 4
  integer(c_int32_t), parameter, public :: H5R_FINDING_REFERENCES = 5
  integer(c_int32_t), parameter, public :: H5R_FINDING_OVERLAP = 6
  integer(c_int32_t), parameter, public :: H5R_FINDING_FLOOR = 7
  integer(c_int32_t), parameter, public :: H5R_FINDING_LEAK = 8
  integer(c_int32_t), parameter, public :: H5R_FINDING_FLAG = 9
  integer(c_int32_t), parameter, public :: H5R_FINDING_INTERRUPTED = 10
  integer(c_int32_t), parameter, public :: H5R_FINDING_UNSUPPORTED = 11
  integer(c_int32_t), parameter, public :: H5R_INTERRUPTED_NONE = 0
  integer(c_int32_t), parameter, public :: H5R_INTERRUPTED_APPLIED = 1
  integer(c_int32_t), parameter, public :: H5R_INTERRUPTED_DISCARDED = 2
  integer(c_int64_t), parameter, public :: H5R_NO_ADDRESS = -1_c_int64_t
  integer(c_int32_t), parameter, public :: H5R_OK = 0
  integer(c_int32_t), parameter, public :: H5R_ERR_BAD_HANDLE = -1
  integer(c_int32_t), parameter, public :: H5R_ERR_ARGUMENT = -2
  integer(c_int32_t), parameter, public :: H5R_ERR_RANGE = -3
  integer(c_int32_t), parameter, public :: H5R_ERR_NOT_FOUND = -4
  integer(c_int32_t), parameter, public :: H5R_ERR_EXISTS = -5
  integer(c_int32_t), parameter, public :: H5R_ERR_WRONG_KIND = -6
  integer(c_int32_t), parameter, public :: H5R_ERR_TYPE = -7
  integer(c_int32_t), parameter, public :: H5R_ERR_TOO_SMALL = -8
  integer(c_int32_t), parameter, public :: H5R_ERR_READ_ONLY = -9
  integer(c_int32_t), parameter, public :: H5R_ERR_NOT_HDF5 = -10
  integer(c_int32_t), parameter, public :: H5R_ERR_CORRUPT = -11
  integer(c_int32_t), parameter, public :: H5R_ERR_UNSUPPORTED = -12
  integer(c_int32_t), parameter, public :: H5R_ERR_LIMIT = -13
  integer(c_int32_t), parameter, public :: H5R_ERR_LOCKED = -14
  integer(c_int32_t), parameter, public :: H5R_ERR_LAZY_REQUIRED = -15
  integer(c_int32_t), parameter, public :: H5R_ERR_REENTRANT = -16
  integer(c_int32_t), parameter, public :: H5R_ERR_CALLBACK = -17
  integer(c_int32_t), parameter, public :: H5R_ERR_IO = -18
  integer(c_int32_t), parameter, public :: H5R_ERR_FAILED = -19
  integer(c_int32_t), parameter, public :: H5R_ERR_INTERNAL = -20
  integer(c_int64_t), parameter, public :: H5R_I8 = 1_c_int64_t
  integer(c_int64_t), parameter, public :: H5R_I16 = 2_c_int64_t
  integer(c_int64_t), parameter, public :: H5R_I32 = 3_c_int64_t
  integer(c_int64_t), parameter, public :: H5R_I64 = 4_c_int64_t
  integer(c_int64_t), parameter, public :: H5R_U8 = 5_c_int64_t
  integer(c_int64_t), parameter, public :: H5R_U16 = 6_c_int64_t
  integer(c_int64_t), parameter, public :: H5R_U32 = 7_c_int64_t
  integer(c_int64_t), parameter, public :: H5R_U64 = 8_c_int64_t
  integer(c_int64_t), parameter, public :: H5R_F16 = 9_c_int64_t
  integer(c_int64_t), parameter, public :: H5R_F32 = 10_c_int64_t
  integer(c_int64_t), parameter, public :: H5R_F64 = 11_c_int64_t
  integer(c_int64_t), parameter, public :: H5R_I16_BE = 34_c_int64_t
  integer(c_int64_t), parameter, public :: H5R_I32_BE = 35_c_int64_t
  integer(c_int64_t), parameter, public :: H5R_I64_BE = 36_c_int64_t
  integer(c_int64_t), parameter, public :: H5R_U16_BE = 38_c_int64_t
  integer(c_int64_t), parameter, public :: H5R_U32_BE = 39_c_int64_t
  integer(c_int64_t), parameter, public :: H5R_U64_BE = 40_c_int64_t
  integer(c_int64_t), parameter, public :: H5R_F16_BE = 41_c_int64_t
  integer(c_int64_t), parameter, public :: H5R_F32_BE = 42_c_int64_t
  integer(c_int64_t), parameter, public :: H5R_F64_BE = 43_c_int64_t
! end constants

  ! Options, with all defaults; the fields are those of h5r.h.
  ! A sequence in memory, for h5r_dataset_read_as and its kin; h5r_vlen_release gives back what was read.
  type, bind(C), public :: h5r_vlen
    integer(c_size_t) :: length = 0
    type(c_ptr) :: data = c_null_ptr
  end type
  type, public :: h5r_string
    character(:), allocatable :: value
  end type
  type, public :: h5r_int64_sequence
    integer(int64), allocatable :: values(:)
  end type
  type, public :: h5r_real64_sequence
    real(real64), allocatable :: values(:)
  end type
  type, bind(C), public :: h5r_storage
    integer(c_int32_t) :: max_compact = 8, min_dense = 6, creation_order = H5R_CREATION_ORDER_NONE
  end type
  type, bind(C), public :: h5r_create_options
    integer(c_size_t) :: struct_size = 72
    integer(c_int64_t) :: cache_bytes = 64 * H5R_MIB
    integer(c_int32_t) :: exclusive = 0, format = H5R_FORMAT_V110, locking = H5R_LOCKING_ENVIRONMENT
    integer(c_int32_t) :: durability = H5R_DURABILITY_PROCESS
    type(h5r_storage) :: links, attributes
    integer(c_int32_t) :: threads = 0, reserved = 0, io = H5R_IO_STANDARD, reserved_2 = 0
  end type
  type, bind(C), public :: h5r_open_options
    integer(c_size_t) :: struct_size = 48
    integer(c_int64_t) :: cache_bytes = 64 * H5R_MIB
    integer(c_int32_t) :: read_only = 0, locking = H5R_LOCKING_ENVIRONMENT
    integer(c_int32_t) :: durability = H5R_DURABILITY_PROCESS, reserved = 0
    integer(c_int32_t) :: threads = 0, reserved_2 = 0, io = H5R_IO_STANDARD, reserved_3 = 0
  end type
  type, bind(C), public :: h5r_group_options
    integer(c_size_t) :: struct_size = 32
    type(h5r_storage) :: links, attributes
  end type
  type, bind(C), public :: h5r_copy_options
    integer(c_size_t) :: struct_size = 24
    integer(c_int32_t) :: shallow = 0, without_attributes = 0, expand_soft_links = 0, reserved = 0
  end type
  type, bind(C), public :: h5r_check_options
    integer(c_size_t) :: struct_size = 24
    integer(c_int32_t) :: recover = 0, locking = H5R_LOCKING_ENVIRONMENT
    integer(c_int64_t) :: max_findings = 1000
  end type
  type, bind(C), public :: h5r_dataset_options
    integer(c_size_t) :: struct_size = 112
    type(c_ptr) :: max_dims = c_null_ptr, chunk = c_null_ptr ! in C's order
    type(c_ptr) :: fill_value = c_null_ptr
    integer(c_int64_t) :: fill_type = 0
    integer(c_int32_t) :: layout = H5R_LAYOUT_CONTIGUOUS, allocation = H5R_ALLOCATION_DEFAULT
    integer(c_int32_t) :: fill_time = H5R_FILL_IF_SET, is_null = 0
    type(h5r_storage) :: attributes
    integer(c_int32_t) :: reserved = 0
    integer(c_int32_t) :: deflate = 0, shuffle = 0, fletcher32 = 0, reserved_2 = 0
    type(c_ptr) :: filters = c_null_ptr ! filter_count of h5r_filter, instead of the three above
    integer(c_size_t) :: filter_count = 0
    integer(c_int32_t) :: skip_incompressible = 0, reserved_3 = 0
  end type
  type, bind(C), public :: h5r_filter
    integer(c_int32_t) :: id = 0, optional = 0
    type(c_ptr) :: parameters = c_null_ptr ! c_int32_t
    integer(c_size_t) :: parameter_count = 0
  end type
  ! The bits of an integer, bit field or float.
  type, bind(C), public :: h5r_type_layout
    integer(c_size_t) :: struct_size = 72
    integer(c_int32_t) :: size = 0, order = H5R_BYTES_LITTLE, offset = 0, precision = 0, low_pad = 0, high_pad = 0
    integer(c_int32_t) :: is_signed = 0, internal_pad = 0, normalization = H5R_NORM_NONE, sign_position = 0
    integer(c_int32_t) :: exponent_position = 0, exponent_size = 0, mantissa_position = 0, mantissa_size = 0
    integer(c_int32_t) :: exponent_bias = 0, reserved = 0
  end type
  type, bind(C), public :: h5r_lazy_options
    integer(c_size_t) :: struct_size = 32
    real(c_double) :: threshold = 0.05_c_double
    integer(c_int64_t) :: max_delay_ms = 300000, batch_size = 100
  end type
  type, bind(C), public :: h5r_incremental_options
    integer(c_size_t) :: struct_size = 40
    integer(c_int64_t) :: budget_us = 100000, interval_ms = 5000
    type(c_funptr) :: progress = c_null_funptr ! c_funloc of an h5r_progress_callback
    type(c_ptr) :: user_data = c_null_ptr
  end type
  type, bind(C), public :: h5r_smart_options
    integer(c_size_t) :: struct_size = 72
    integer(c_int32_t) :: auto_detect = 1, auto_switch = 1
    integer(c_int64_t) :: min_file_size = 10 * H5R_MIB, allowed_modes = H5R_ALLOW_ALL, reevaluate_ms = 300000
    real(c_double) :: min_confidence = 0.7_c_double
    integer(c_int64_t) :: min_switch_interval_ms = 30000
    type(c_funptr) :: on_mode_change = c_null_funptr ! c_funloc of an h5r_mode_change_callback
    type(c_ptr) :: user_data = c_null_ptr
  end type

  ! What callbacks are told.
  type, bind(C), public :: h5r_progress
    integer(c_int64_t) :: nodes_rebalanced, nodes_remaining, estimated_remaining_ns
  end type
  type, bind(C), public :: h5r_factor
    type(c_ptr) :: name ! h5r_text gives it
    real(c_double) :: value
  end type
  type, bind(C), public :: h5r_mode_change
    integer(c_int32_t) :: selected_mode, previous_mode
    real(c_double) :: confidence
    type(c_ptr) :: reason, factors ! h5r_text gives the reason; c_f_pointer the factors
    integer(c_size_t) :: factor_count
    integer(c_int64_t) :: timestamp_ns
  end type

  type, bind(C) :: c_finding
    integer(c_int32_t) :: severity, kind
    integer(c_int64_t) :: address
    type(c_ptr) :: path, message
  end type

  ! What the information calls store.
  type, bind(C), public :: h5r_check_report
    integer(c_size_t) :: struct_size = 128
    integer(c_int64_t) :: errors = 0, warnings = 0, unchecked = 0, groups = 0, datasets = 0, named_types = 0
    integer(c_int64_t) :: file_bytes = 0, allocated_bytes = 0, used_bytes = 0, free_bytes = 0, leaked_bytes = 0
    integer(c_int64_t) :: redo_blocks = 0, redo_bytes = 0
    integer(c_int32_t) :: interrupted = H5R_INTERRUPTED_NONE, flags = 0, flags_cleared = 0, reserved = 0
  end type
  ! Times in seconds since 1970, or H5R_NO_TIME.
  type, bind(C), public :: h5r_object_details
    integer(c_size_t) :: struct_size = 112
    integer(c_int64_t) :: address = 0, references = 0, attribute_count = 0, link_count = 0
    integer(c_int64_t) :: access_time = 0, modification_time = 0, change_time = 0, birth_time = 0
    integer(c_int64_t) :: header_bytes = 0, index_bytes = 0, heap_bytes = 0, raw_bytes = 0
    integer(c_int32_t) :: kind = 0, reserved = 0
  end type
  type, bind(C), public :: h5r_rebalance_stats
    integer(c_size_t) :: struct_size = 472
    integer(c_int32_t) :: mode = 0, effective_mode = 0
    integer(c_int64_t) :: nodes = 0, underfull_nodes = 0
    real(c_double) :: occupancy = 0
    integer(c_int64_t) :: heap_live_bytes = 0, heap_free_bytes = 0, file_bytes = 0, file_free_bytes = 0
    integer(c_int64_t) :: inserts = 0, deletes = 0, updates = 0, unserved_deletes = 0
    integer(c_int64_t) :: batches = 0, sessions = 0, sweeps = 0, nodes_rebalanced = 0, nodes_remaining = 0
    integer(c_int64_t) :: objects_moved = 0, bytes_moved = 0, worst_pause_ns = 0, total_time_ns = 0
    integer(c_int64_t) :: mode_changes = 0, evaluations = 0
    real(c_double) :: confidence = 0
    integer(c_int32_t) :: decision = 0, reserved = 0
    character(kind=c_char) :: reason(256) = c_null_char
    integer(c_int64_t) :: reads = 0
  end type
  type, bind(C) :: attr_details
    integer(c_size_t) :: struct_size = 304
    integer(c_int64_t) :: type = 0, storage_size = 0, creation_order = 0, rank = 0
    integer(c_int32_t) :: space = 0, reserved = 0
    integer(c_int64_t) :: dims(H5R_MAX_RANK) = 0
  end type
  type, bind(C) :: dataset_details
    integer(c_size_t) :: struct_size = 552
    integer(c_int64_t) :: type = 0, storage_size = 0, rank = 0
    integer(c_int32_t) :: layout = 0, space = 0
    integer(c_int64_t) :: dims(H5R_MAX_RANK) = 0, max_dims(H5R_MAX_RANK) = 0
  end type
  type, bind(C) :: c_selection
    integer(c_size_t) :: rank = 0
    type(c_ptr) :: start = c_null_ptr, stride = c_null_ptr, count = c_null_ptr, block = c_null_ptr
  end type

  ! A regular part of an array; h5r_part makes one. The numbers are C's, in C's order: start, stride, count and block, of
  ! which some are given. (No allocatable components: gfortran loses those of array constructors.)
  type, public :: h5r_selection
    integer :: rank = 0
    logical :: given(4) = .false., fits = .true.
    integer(c_int64_t) :: numbers(H5R_MAX_RANK, 4) = 0
  end type

  ! The figures of a dataset's cache of decoded chunks; the fields are those of h5r.h.
  type, bind(C), public :: h5r_chunk_cache_details
    integer(c_size_t) :: struct_size = 64
    integer(c_int64_t) :: bound = 0, bytes = 0, chunks = 0, unwritten = 0, hits = 0, misses = 0, displaced = 0
  end type

  ! An attribute's or dataset's shape, in Fortran's order, and its type, which h5r_type_close closes.
  type, public :: h5r_info
    integer(c_int64_t) :: type = 0
    integer :: space = H5R_SPACE_NULL
    integer :: layout = -1 ! of a dataset
    integer(int64) :: storage_size = 0
    integer(int64), allocatable :: dims(:)
    integer(int64), allocatable :: max_dims(:) ! of a dataset; H5R_UNLIMITED for no bound
  end type

  ! What a link is; the fields are those of h5r.h.
  type, bind(C), public :: h5r_link_details
    integer(c_size_t) :: struct_size = 32
    integer(c_int64_t) :: creation_order = H5R_NO_CREATION_ORDER
    integer(c_int32_t) :: kind = 0, user_type = 0, charset = H5R_CHARSET_ASCII, reserved = 0
  end type
  type, bind(C) :: chunk_details
    integer(c_size_t) :: struct_size
    integer(c_int64_t) :: address, size, rank
    integer(c_int32_t) :: filter_mask, reserved
    integer(c_int64_t) :: offset(H5R_MAX_RANK)
  end type

  abstract interface
    subroutine h5r_progress_callback(progress, user_data) bind(C)
      import :: h5r_progress, c_ptr
      type(h5r_progress), intent(in) :: progress
      type(c_ptr), value :: user_data
    end subroutine
    subroutine h5r_mode_change_callback(change, user_data) bind(C)
      import :: h5r_mode_change, c_ptr
      type(h5r_mode_change), intent(in) :: change
      type(c_ptr), value :: user_data
    end subroutine
    ! Told how far a long call with raw data is, in bytes; returns 0 to go on, anything else to end it.
    function h5r_transfer_callback(bytes_done, bytes_total, user_data) result(answer) bind(C)
      import :: c_int32_t, c_int64_t, c_ptr
      integer(c_int64_t), value :: bytes_done, bytes_total
      type(c_ptr), value :: user_data
      integer(c_int32_t) :: answer
    end function
    ! Encodes or decodes for h5r_filter_register, which h5r.h describes.
    integer(c_int32_t) function h5r_filter_callback(parameters, parameter_count, data, length, out, capacity, &
      length_out, user_data) bind(C)
      import :: c_int32_t, c_ptr, c_size_t
      integer(c_size_t), value :: parameter_count, length, capacity
      integer(c_int32_t), intent(in) :: parameters(parameter_count)
      type(c_ptr), value :: data, out, user_data
      integer(c_size_t), intent(out) :: length_out
    end function
    ! Returns 0 to go on, positive to stop, negative to fail.
    integer function h5r_visit(name)
      character(*), intent(in) :: name
    end function
    ! Told a finding of h5r_check_path: H5R_SEVERITY_..., H5R_FINDING_..., its address or H5R_NO_ADDRESS, the object's
    ! path and what was found. Returns as h5r_visit.
    integer function h5r_finding_visit(severity, kind, address, path, message)
      import :: int64
      integer, intent(in) :: severity, kind
      integer(int64), intent(in) :: address
      character(*), intent(in) :: path, message
    end function
    ! Told a stored chunk of h5r_chunk_iterate: its first element, which counts from 1 in Fortran's order, its bytes in the file
    ! and the mask of skipped filters. Returns as h5r_visit.
    integer function h5r_chunk_visit(offset, size, filter_mask)
      import :: int64
      integer(int64), intent(in) :: offset(:), size
      integer, intent(in) :: filter_mask
    end function
    ! Told an object of h5r_object_visit: its path and H5R_KIND_... . Returns as h5r_visit.
    integer function h5r_path_visit(path, kind)
      character(*), intent(in) :: path
      integer, intent(in) :: kind
    end function
  end interface
  public :: h5r_path_visit, h5r_chunk_visit, h5r_filter_callback
  public :: h5r_progress_callback, h5r_mode_change_callback, h5r_visit, h5r_finding_visit, h5r_transfer_callback

  ! How an iteration finds the Fortran procedure again.
  type :: visitor
    procedure(h5r_visit), pointer, nopass :: call => null()
  end type
  type :: finding_visitor
    procedure(h5r_finding_visit), pointer, nopass :: call => null()
  end type

  type :: chunk_visitor
    procedure(h5r_chunk_visit), pointer, nopass :: call => null()
  end type
  type :: path_visitor
    procedure(h5r_path_visit), pointer, nopass :: call => null()
  end type

  interface
    function c_strlen(text) result(length) bind(C, name='strlen')
      import :: c_ptr, c_size_t
      type(c_ptr), value :: text
      integer(c_size_t) :: length
    end function
  end interface

! begin interfaces
  interface
    function c_version_number() result(returned) bind(C, name='h5r_version_number')
      import :: c_int32_t
      integer(c_int32_t) :: returned
    end function
    function c_version() result(returned) bind(C, name='h5r_version')
      import :: c_ptr
      type(c_ptr) :: returned
    end function
    function c_status_name(status) result(returned) bind(C, name='h5r_status_name')
      import :: c_int32_t, c_ptr
      integer(c_int32_t), value :: status
      type(c_ptr) :: returned
    end function
    function c_last_error() result(returned) bind(C, name='h5r_last_error')
      import :: c_ptr
      type(c_ptr) :: returned
    end function
    function c_set_last_error(status, message) result(returned) bind(C, name='h5r_set_last_error')
      import :: c_char, c_int32_t
      integer(c_int32_t), value :: status
      character(kind=c_char), intent(in) :: message(*)
      integer(c_int32_t) :: returned
    end function
    function c_type_string(size, padding, charset, type_out) result(returned) bind(C, name='h5r_type_string')
      import :: c_int32_t, c_int64_t, c_size_t
      integer(c_size_t), value :: size
      integer(c_int32_t), value :: padding
      integer(c_int32_t), value :: charset
      integer(c_int64_t), intent(inout) :: type_out
      integer(c_int32_t) :: returned
    end function
    function c_type_size(type, size_out) result(returned) bind(C, name='h5r_type_size')
      import :: c_int32_t, c_int64_t, c_size_t
      integer(c_int64_t), value :: type
      integer(c_size_t), intent(inout) :: size_out
      integer(c_int32_t) :: returned
    end function
    function c_type_class(type, class_out) result(returned) bind(C, name='h5r_type_class')
      import :: c_int32_t, c_int64_t
      integer(c_int64_t), value :: type
      integer(c_int32_t), intent(inout) :: class_out
      integer(c_int32_t) :: returned
    end function
    function c_type_equal(a, b, equal_out) result(returned) bind(C, name='h5r_type_equal')
      import :: c_bool, c_int32_t, c_int64_t
      integer(c_int64_t), value :: a
      integer(c_int64_t), value :: b
      logical(c_bool), intent(inout) :: equal_out
      integer(c_int32_t) :: returned
    end function
    function c_type_describe(type, buffer, capacity, length_out) result(returned) bind(C, name='h5r_type_describe')
      import :: c_int32_t, c_int64_t, c_ptr, c_size_t
      integer(c_int64_t), value :: type
      type(c_ptr), value :: buffer
      integer(c_size_t), value :: capacity
      integer(c_size_t), intent(inout) :: length_out
      integer(c_int32_t) :: returned
    end function
    function c_type_close(type) result(returned) bind(C, name='h5r_type_close')
      import :: c_int32_t, c_int64_t
      integer(c_int64_t), value :: type
      integer(c_int32_t) :: returned
    end function
    function c_type_integer(layout, type_out) result(returned) bind(C, name='h5r_type_integer')
      import :: c_int32_t, c_int64_t, c_ptr
      type(c_ptr), value :: layout
      integer(c_int64_t), intent(inout) :: type_out
      integer(c_int32_t) :: returned
    end function
    function c_type_float(layout, type_out) result(returned) bind(C, name='h5r_type_float')
      import :: c_int32_t, c_int64_t, c_ptr
      type(c_ptr), value :: layout
      integer(c_int64_t), intent(inout) :: type_out
      integer(c_int32_t) :: returned
    end function
    function c_type_bitfield(layout, type_out) result(returned) bind(C, name='h5r_type_bitfield')
      import :: c_int32_t, c_int64_t, c_ptr
      type(c_ptr), value :: layout
      integer(c_int64_t), intent(inout) :: type_out
      integer(c_int32_t) :: returned
    end function
    function c_type_complex(part, type_out) result(returned) bind(C, name='h5r_type_complex')
      import :: c_int32_t, c_int64_t
      integer(c_int64_t), value :: part
      integer(c_int64_t), intent(inout) :: type_out
      integer(c_int32_t) :: returned
    end function
    function c_type_time(bits, order, type_out) result(returned) bind(C, name='h5r_type_time')
      import :: c_int32_t, c_int64_t
      integer(c_int32_t), value :: bits
      integer(c_int32_t), value :: order
      integer(c_int64_t), intent(inout) :: type_out
      integer(c_int32_t) :: returned
    end function
    function c_type_string_variable(padding, charset, type_out) result(returned) bind(C, name='h5r_type_string_variable')
      import :: c_int32_t, c_int64_t
      integer(c_int32_t), value :: padding
      integer(c_int32_t), value :: charset
      integer(c_int64_t), intent(inout) :: type_out
      integer(c_int32_t) :: returned
    end function
    function c_type_vlen(base, type_out) result(returned) bind(C, name='h5r_type_vlen')
      import :: c_int32_t, c_int64_t
      integer(c_int64_t), value :: base
      integer(c_int64_t), intent(inout) :: type_out
      integer(c_int32_t) :: returned
    end function
    function c_type_opaque(size, tag, type_out) result(returned) bind(C, name='h5r_type_opaque')
      import :: c_char, c_int32_t, c_int64_t, c_size_t
      integer(c_size_t), value :: size
      character(kind=c_char), intent(in) :: tag(*)
      integer(c_int64_t), intent(inout) :: type_out
      integer(c_int32_t) :: returned
    end function
    function c_type_array(base, rank, dims, type_out) result(returned) bind(C, name='h5r_type_array')
      import :: c_int32_t, c_int64_t, c_size_t
      integer(c_int64_t), value :: base
      integer(c_size_t), value :: rank
      integer(c_int64_t), intent(in) :: dims(*)
      integer(c_int64_t), intent(inout) :: type_out
      integer(c_int32_t) :: returned
    end function
    function c_type_reference(kind, type_out) result(returned) bind(C, name='h5r_type_reference')
      import :: c_int32_t, c_int64_t
      integer(c_int32_t), value :: kind
      integer(c_int64_t), intent(inout) :: type_out
      integer(c_int32_t) :: returned
    end function
    function c_type_compound(size, type_out) result(returned) bind(C, name='h5r_type_compound')
      import :: c_int32_t, c_int64_t, c_size_t
      integer(c_size_t), value :: size
      integer(c_int64_t), intent(inout) :: type_out
      integer(c_int32_t) :: returned
    end function
    function c_type_insert(compound, name, offset, member) result(returned) bind(C, name='h5r_type_insert')
      import :: c_char, c_int32_t, c_int64_t
      integer(c_int64_t), value :: compound
      character(kind=c_char), intent(in) :: name(*)
      integer(c_int64_t), value :: offset
      integer(c_int64_t), value :: member
      integer(c_int32_t) :: returned
    end function
    function c_type_enum(base, type_out) result(returned) bind(C, name='h5r_type_enum')
      import :: c_int32_t, c_int64_t
      integer(c_int64_t), value :: base
      integer(c_int64_t), intent(inout) :: type_out
      integer(c_int32_t) :: returned
    end function
    function c_type_enum_insert(enumeration, name, value) result(returned) bind(C, name='h5r_type_enum_insert')
      import :: c_char, c_int32_t, c_int64_t, c_ptr
      integer(c_int64_t), value :: enumeration
      character(kind=c_char), intent(in) :: name(*)
      type(c_ptr), value :: value
      integer(c_int32_t) :: returned
    end function
    function c_type_copy(type, type_out) result(returned) bind(C, name='h5r_type_copy')
      import :: c_int32_t, c_int64_t
      integer(c_int64_t), value :: type
      integer(c_int64_t), intent(inout) :: type_out
      integer(c_int32_t) :: returned
    end function
    function c_type_commit(loc, path, type, object_out) result(returned) bind(C, name='h5r_type_commit')
      import :: c_char, c_int32_t, c_int64_t, c_ptr
      type(c_ptr), value :: loc
      character(kind=c_char), intent(in) :: path(*)
      integer(c_int64_t), value :: type
      type(c_ptr), intent(inout) :: object_out
      integer(c_int32_t) :: returned
    end function
    function c_type_get_layout(type, layout_out) result(returned) bind(C, name='h5r_type_get_layout')
      import :: c_int32_t, c_int64_t, c_ptr
      integer(c_int64_t), value :: type
      type(c_ptr), value :: layout_out
      integer(c_int32_t) :: returned
    end function
    function c_type_string_info(type, padding_out, charset_out, is_variable_out) &
      result(returned) bind(C, name='h5r_type_string_info')
      import :: c_bool, c_int32_t, c_int64_t
      integer(c_int64_t), value :: type
      integer(c_int32_t), intent(inout) :: padding_out
      integer(c_int32_t), intent(inout) :: charset_out
      logical(c_bool), intent(inout) :: is_variable_out
      integer(c_int32_t) :: returned
    end function
    function c_type_is_variable(type, is_variable_out) result(returned) bind(C, name='h5r_type_is_variable')
      import :: c_bool, c_int32_t, c_int64_t
      integer(c_int64_t), value :: type
      logical(c_bool), intent(inout) :: is_variable_out
      integer(c_int32_t) :: returned
    end function
    function c_type_member_count(type, count_out) result(returned) bind(C, name='h5r_type_member_count')
      import :: c_int32_t, c_int64_t
      integer(c_int64_t), value :: type
      integer(c_int64_t), intent(inout) :: count_out
      integer(c_int32_t) :: returned
    end function
    function c_type_member_name(type, index, buffer, capacity, length_out) result(returned) bind(C, name='h5r_type_member_name')
      import :: c_int32_t, c_int64_t, c_ptr, c_size_t
      integer(c_int64_t), value :: type
      integer(c_int64_t), value :: index
      type(c_ptr), value :: buffer
      integer(c_size_t), value :: capacity
      integer(c_size_t), intent(inout) :: length_out
      integer(c_int32_t) :: returned
    end function
    function c_type_member_index(type, name, index_out) result(returned) bind(C, name='h5r_type_member_index')
      import :: c_char, c_int32_t, c_int64_t
      integer(c_int64_t), value :: type
      character(kind=c_char), intent(in) :: name(*)
      integer(c_int64_t), intent(inout) :: index_out
      integer(c_int32_t) :: returned
    end function
    function c_type_member(compound, index, offset_out, type_out) result(returned) bind(C, name='h5r_type_member')
      import :: c_int32_t, c_int64_t
      integer(c_int64_t), value :: compound
      integer(c_int64_t), value :: index
      integer(c_int64_t), intent(inout) :: offset_out
      integer(c_int64_t), intent(inout) :: type_out
      integer(c_int32_t) :: returned
    end function
    function c_type_enum_value(enumeration, index, value_out) result(returned) bind(C, name='h5r_type_enum_value')
      import :: c_int32_t, c_int64_t, c_ptr
      integer(c_int64_t), value :: enumeration
      integer(c_int64_t), value :: index
      type(c_ptr), value :: value_out
      integer(c_int32_t) :: returned
    end function
    function c_type_base(type, base_out) result(returned) bind(C, name='h5r_type_base')
      import :: c_int32_t, c_int64_t
      integer(c_int64_t), value :: type
      integer(c_int64_t), intent(inout) :: base_out
      integer(c_int32_t) :: returned
    end function
    function c_type_dims(array, rank_out, dims_out) result(returned) bind(C, name='h5r_type_dims')
      import :: c_int32_t, c_int64_t, c_size_t
      integer(c_int64_t), value :: array
      integer(c_size_t), intent(inout) :: rank_out
      integer(c_int64_t), intent(inout) :: dims_out(*)
      integer(c_int32_t) :: returned
    end function
    function c_type_tag(opaque, buffer, capacity, length_out) result(returned) bind(C, name='h5r_type_tag')
      import :: c_int32_t, c_int64_t, c_ptr, c_size_t
      integer(c_int64_t), value :: opaque
      type(c_ptr), value :: buffer
      integer(c_size_t), value :: capacity
      integer(c_size_t), intent(inout) :: length_out
      integer(c_int32_t) :: returned
    end function
    function c_type_reference_kind(reference, kind_out) result(returned) bind(C, name='h5r_type_reference_kind')
      import :: c_int32_t, c_int64_t
      integer(c_int64_t), value :: reference
      integer(c_int32_t), intent(inout) :: kind_out
      integer(c_int32_t) :: returned
    end function
    function c_object_type(object, type_out) result(returned) bind(C, name='h5r_object_type')
      import :: c_int32_t, c_int64_t, c_ptr
      type(c_ptr), value :: object
      integer(c_int64_t), intent(inout) :: type_out
      integer(c_int32_t) :: returned
    end function
    function c_attr_type(object, name, type_out) result(returned) bind(C, name='h5r_attr_type')
      import :: c_char, c_int32_t, c_int64_t, c_ptr
      type(c_ptr), value :: object
      character(kind=c_char), intent(in) :: name(*)
      integer(c_int64_t), intent(inout) :: type_out
      integer(c_int32_t) :: returned
    end function
    function c_type_is_committed(type, is_committed_out) result(returned) bind(C, name='h5r_type_is_committed')
      import :: c_bool, c_int32_t, c_int64_t
      integer(c_int64_t), value :: type
      logical(c_bool), intent(inout) :: is_committed_out
      integer(c_int32_t) :: returned
    end function
    function c_vlen_release(type, count, data) result(returned) bind(C, name='h5r_vlen_release')
      import :: c_int32_t, c_int64_t, c_ptr
      integer(c_int64_t), value :: type
      integer(c_int64_t), value :: count
      type(c_ptr), value :: data
      integer(c_int32_t) :: returned
    end function
    function c_create(path, options, file_out) result(returned) bind(C, name='h5r_create')
      import :: c_char, c_int32_t, c_ptr
      character(kind=c_char), intent(in) :: path(*)
      type(c_ptr), value :: options
      type(c_ptr), intent(inout) :: file_out
      integer(c_int32_t) :: returned
    end function
    function c_open(path, options, file_out) result(returned) bind(C, name='h5r_open')
      import :: c_char, c_int32_t, c_ptr
      character(kind=c_char), intent(in) :: path(*)
      type(c_ptr), value :: options
      type(c_ptr), intent(inout) :: file_out
      integer(c_int32_t) :: returned
    end function
    function c_flush(file) result(returned) bind(C, name='h5r_flush')
      import :: c_int32_t, c_ptr
      type(c_ptr), value :: file
      integer(c_int32_t) :: returned
    end function
    function c_set_durability(file, durability) result(returned) bind(C, name='h5r_set_durability')
      import :: c_int32_t, c_ptr
      type(c_ptr), value :: file
      integer(c_int32_t), value :: durability
      integer(c_int32_t) :: returned
    end function
    function c_close(file) result(returned) bind(C, name='h5r_close')
      import :: c_int32_t, c_ptr
      type(c_ptr), value :: file
      integer(c_int32_t) :: returned
    end function
    function c_root(file) result(returned) bind(C, name='h5r_root')
      import :: c_ptr
      type(c_ptr), value :: file
      type(c_ptr) :: returned
    end function
    function c_check(file) result(returned) bind(C, name='h5r_check')
      import :: c_int32_t, c_ptr
      type(c_ptr), value :: file
      integer(c_int32_t) :: returned
    end function
    function c_set_progress(file, progress, user_data) result(returned) bind(C, name='h5r_set_progress')
      import :: c_funptr, c_int32_t, c_ptr
      type(c_ptr), value :: file
      type(c_funptr), value :: progress
      type(c_ptr), value :: user_data
      integer(c_int32_t) :: returned
    end function
    function c_group_create(loc, path, options, group_out) result(returned) bind(C, name='h5r_group_create')
      import :: c_char, c_int32_t, c_ptr
      type(c_ptr), value :: loc
      character(kind=c_char), intent(in) :: path(*)
      type(c_ptr), value :: options
      type(c_ptr), intent(inout) :: group_out
      integer(c_int32_t) :: returned
    end function
    function c_object_open(loc, path, object_out) result(returned) bind(C, name='h5r_object_open')
      import :: c_char, c_int32_t, c_ptr
      type(c_ptr), value :: loc
      character(kind=c_char), intent(in) :: path(*)
      type(c_ptr), intent(inout) :: object_out
      integer(c_int32_t) :: returned
    end function
    function c_object_close(object) result(returned) bind(C, name='h5r_object_close')
      import :: c_int32_t, c_ptr
      type(c_ptr), value :: object
      integer(c_int32_t) :: returned
    end function
    function c_object_kind(object, kind_out) result(returned) bind(C, name='h5r_object_kind')
      import :: c_int32_t, c_ptr
      type(c_ptr), value :: object
      integer(c_int32_t), intent(inout) :: kind_out
      integer(c_int32_t) :: returned
    end function
    function c_object_path(object, buffer, capacity, length_out) result(returned) bind(C, name='h5r_object_path')
      import :: c_int32_t, c_ptr, c_size_t
      type(c_ptr), value :: object
      type(c_ptr), value :: buffer
      integer(c_size_t), value :: capacity
      integer(c_size_t), intent(inout) :: length_out
      integer(c_int32_t) :: returned
    end function
    function c_object_info(loc, path, info_out) result(returned) bind(C, name='h5r_object_info')
      import :: c_char, c_int32_t, c_ptr
      type(c_ptr), value :: loc
      character(kind=c_char), intent(in) :: path(*)
      type(c_ptr), value :: info_out
      integer(c_int32_t) :: returned
    end function
    function c_object_visit(loc, order, visit, user_data) result(returned) bind(C, name='h5r_object_visit')
      import :: c_funptr, c_int32_t, c_ptr
      type(c_ptr), value :: loc
      integer(c_int32_t), value :: order
      type(c_funptr), value :: visit
      type(c_ptr), value :: user_data
      integer(c_int32_t) :: returned
    end function
    function c_object_comment(object, buffer, capacity, length_out) result(returned) bind(C, name='h5r_object_comment')
      import :: c_int32_t, c_ptr, c_size_t
      type(c_ptr), value :: object
      type(c_ptr), value :: buffer
      integer(c_size_t), value :: capacity
      integer(c_size_t), intent(inout) :: length_out
      integer(c_int32_t) :: returned
    end function
    function c_object_set_comment(object, comment) result(returned) bind(C, name='h5r_object_set_comment')
      import :: c_char, c_int32_t, c_ptr
      type(c_ptr), value :: object
      character(kind=c_char), intent(in) :: comment(*)
      integer(c_int32_t) :: returned
    end function
    function c_filter_register(id, name, encode, decode, user_data) result(returned) bind(C, name='h5r_filter_register')
      import :: c_char, c_funptr, c_int32_t, c_ptr
      integer(c_int32_t), value :: id
      character(kind=c_char), intent(in) :: name(*)
      type(c_funptr), value :: encode
      type(c_funptr), value :: decode
      type(c_ptr), value :: user_data
      integer(c_int32_t) :: returned
    end function
    function c_filter_unregister(id) result(returned) bind(C, name='h5r_filter_unregister')
      import :: c_int32_t
      integer(c_int32_t), value :: id
      integer(c_int32_t) :: returned
    end function
    function c_object_copy(from_loc, from_path, to_loc, to_path, options) result(returned) bind(C, name='h5r_object_copy')
      import :: c_char, c_int32_t, c_ptr
      type(c_ptr), value :: from_loc
      character(kind=c_char), intent(in) :: from_path(*)
      type(c_ptr), value :: to_loc
      character(kind=c_char), intent(in) :: to_path(*)
      type(c_ptr), value :: options
      integer(c_int32_t) :: returned
    end function
    function c_dataset_create(loc, path, type, rank, dims, options, dataset_out) &
      result(returned) bind(C, name='h5r_dataset_create')
      import :: c_char, c_int32_t, c_int64_t, c_ptr, c_size_t
      type(c_ptr), value :: loc
      character(kind=c_char), intent(in) :: path(*)
      integer(c_int64_t), value :: type
      integer(c_size_t), value :: rank
      integer(c_int64_t), intent(in) :: dims(*)
      type(c_ptr), value :: options
      type(c_ptr), intent(inout) :: dataset_out
      integer(c_int32_t) :: returned
    end function
    function c_dataset_write(dataset, memory_type, selection, data) result(returned) bind(C, name='h5r_dataset_write')
      import :: c_int32_t, c_int64_t, c_ptr
      type(c_ptr), value :: dataset
      integer(c_int64_t), value :: memory_type
      type(c_ptr), value :: selection
      type(c_ptr), value :: data
      integer(c_int32_t) :: returned
    end function
    function c_dataset_read(dataset, memory_type, selection, data_out) result(returned) bind(C, name='h5r_dataset_read')
      import :: c_int32_t, c_int64_t, c_ptr
      type(c_ptr), value :: dataset
      integer(c_int64_t), value :: memory_type
      type(c_ptr), value :: selection
      type(c_ptr), value :: data_out
      integer(c_int32_t) :: returned
    end function
    function c_dataset_dims(dataset, rank_out, dims_out, elements_out) result(returned) bind(C, name='h5r_dataset_dims')
      import :: c_int32_t, c_int64_t, c_ptr, c_size_t
      type(c_ptr), value :: dataset
      integer(c_size_t), intent(inout) :: rank_out
      integer(c_int64_t), intent(inout) :: dims_out(*)
      integer(c_int64_t), intent(inout) :: elements_out
      integer(c_int32_t) :: returned
    end function
    function c_dataset_info(dataset, info_out) result(returned) bind(C, name='h5r_dataset_info')
      import :: c_int32_t, c_ptr
      type(c_ptr), value :: dataset
      type(c_ptr), value :: info_out
      integer(c_int32_t) :: returned
    end function
    function c_dataset_set_extent(dataset, dims) result(returned) bind(C, name='h5r_dataset_set_extent')
      import :: c_int32_t, c_int64_t, c_ptr
      type(c_ptr), value :: dataset
      integer(c_int64_t), intent(in) :: dims(*)
      integer(c_int32_t) :: returned
    end function
    function c_dataset_append(dataset, memory_type, rows, data) result(returned) bind(C, name='h5r_dataset_append')
      import :: c_int32_t, c_int64_t, c_ptr
      type(c_ptr), value :: dataset
      integer(c_int64_t), value :: memory_type
      integer(c_int64_t), value :: rows
      type(c_ptr), value :: data
      integer(c_int32_t) :: returned
    end function
    function c_dataset_read_points(dataset, memory_type, count, points, data_out) &
      result(returned) bind(C, name='h5r_dataset_read_points')
      import :: c_int32_t, c_int64_t, c_ptr, c_size_t
      type(c_ptr), value :: dataset
      integer(c_int64_t), value :: memory_type
      integer(c_size_t), value :: count
      integer(c_int64_t), intent(in) :: points(*)
      type(c_ptr), value :: data_out
      integer(c_int32_t) :: returned
    end function
    function c_dataset_write_points(dataset, memory_type, count, points, data) &
      result(returned) bind(C, name='h5r_dataset_write_points')
      import :: c_int32_t, c_int64_t, c_ptr, c_size_t
      type(c_ptr), value :: dataset
      integer(c_int64_t), value :: memory_type
      integer(c_size_t), value :: count
      integer(c_int64_t), intent(in) :: points(*)
      type(c_ptr), value :: data
      integer(c_int32_t) :: returned
    end function
    function c_dataset_read_list(dataset, memory_type, count, selections, data_out) &
      result(returned) bind(C, name='h5r_dataset_read_list')
      import :: c_int32_t, c_int64_t, c_ptr, c_size_t
      type(c_ptr), value :: dataset
      integer(c_int64_t), value :: memory_type
      integer(c_size_t), value :: count
      type(c_ptr), value :: selections
      type(c_ptr), value :: data_out
      integer(c_int32_t) :: returned
    end function
    function c_dataset_write_list(dataset, memory_type, count, selections, data) &
      result(returned) bind(C, name='h5r_dataset_write_list')
      import :: c_int32_t, c_int64_t, c_ptr, c_size_t
      type(c_ptr), value :: dataset
      integer(c_int64_t), value :: memory_type
      integer(c_size_t), value :: count
      type(c_ptr), value :: selections
      type(c_ptr), value :: data
      integer(c_int32_t) :: returned
    end function
    function c_dataset_read_into(dataset, memory_type, selection, memory_rank, memory_dims, memory_selection, data_out) &
      result(returned) bind(C, name='h5r_dataset_read_into')
      import :: c_int32_t, c_int64_t, c_ptr, c_size_t
      type(c_ptr), value :: dataset
      integer(c_int64_t), value :: memory_type
      type(c_ptr), value :: selection
      integer(c_size_t), value :: memory_rank
      integer(c_int64_t), intent(in) :: memory_dims(*)
      type(c_ptr), value :: memory_selection
      type(c_ptr), value :: data_out
      integer(c_int32_t) :: returned
    end function
    function c_dataset_write_from(dataset, memory_type, selection, memory_rank, memory_dims, memory_selection, data) &
      result(returned) bind(C, name='h5r_dataset_write_from')
      import :: c_int32_t, c_int64_t, c_ptr, c_size_t
      type(c_ptr), value :: dataset
      integer(c_int64_t), value :: memory_type
      type(c_ptr), value :: selection
      integer(c_size_t), value :: memory_rank
      integer(c_int64_t), intent(in) :: memory_dims(*)
      type(c_ptr), value :: memory_selection
      type(c_ptr), value :: data
      integer(c_int32_t) :: returned
    end function
    function c_chunk_info(dataset, offset, info_out) result(returned) bind(C, name='h5r_chunk_info')
      import :: c_int32_t, c_int64_t, c_ptr
      type(c_ptr), value :: dataset
      integer(c_int64_t), intent(in) :: offset(*)
      type(c_ptr), value :: info_out
      integer(c_int32_t) :: returned
    end function
    function c_chunk_read(dataset, offset, buffer, capacity, length_out, filter_mask_out) &
      result(returned) bind(C, name='h5r_chunk_read')
      import :: c_int32_t, c_int64_t, c_ptr, c_size_t
      type(c_ptr), value :: dataset
      integer(c_int64_t), intent(in) :: offset(*)
      type(c_ptr), value :: buffer
      integer(c_size_t), value :: capacity
      integer(c_size_t), intent(inout) :: length_out
      type(c_ptr), value :: filter_mask_out
      integer(c_int32_t) :: returned
    end function
    function c_chunk_write(dataset, offset, filter_mask, data, length) result(returned) bind(C, name='h5r_chunk_write')
      import :: c_int32_t, c_int64_t, c_ptr, c_size_t
      type(c_ptr), value :: dataset
      integer(c_int64_t), intent(in) :: offset(*)
      integer(c_int32_t), value :: filter_mask
      type(c_ptr), value :: data
      integer(c_size_t), value :: length
      integer(c_int32_t) :: returned
    end function
    function c_chunk_iterate(dataset, visit, user_data) result(returned) bind(C, name='h5r_chunk_iterate')
      import :: c_funptr, c_int32_t, c_ptr
      type(c_ptr), value :: dataset
      type(c_funptr), value :: visit
      type(c_ptr), value :: user_data
      integer(c_int32_t) :: returned
    end function
    function c_chunk_cache_info(dataset, info_out) result(returned) bind(C, name='h5r_chunk_cache_info')
      import :: c_int32_t, c_ptr
      type(c_ptr), value :: dataset
      type(c_ptr), value :: info_out
      integer(c_int32_t) :: returned
    end function
    function c_chunk_cache_set(dataset, bytes) result(returned) bind(C, name='h5r_chunk_cache_set')
      import :: c_int32_t, c_int64_t, c_ptr
      type(c_ptr), value :: dataset
      integer(c_int64_t), value :: bytes
      integer(c_int32_t) :: returned
    end function
    function c_attr_write(object, name, type, rank, dims, data) result(returned) bind(C, name='h5r_attr_write')
      import :: c_char, c_int32_t, c_int64_t, c_ptr, c_size_t
      type(c_ptr), value :: object
      character(kind=c_char), intent(in) :: name(*)
      integer(c_int64_t), value :: type
      integer(c_size_t), value :: rank
      integer(c_int64_t), intent(in) :: dims(*)
      type(c_ptr), value :: data
      integer(c_int32_t) :: returned
    end function
    function c_attr_write_null(object, name, type) result(returned) bind(C, name='h5r_attr_write_null')
      import :: c_char, c_int32_t, c_int64_t, c_ptr
      type(c_ptr), value :: object
      character(kind=c_char), intent(in) :: name(*)
      integer(c_int64_t), value :: type
      integer(c_int32_t) :: returned
    end function
    function c_attr_read(object, name, memory_type, data_out, capacity) result(returned) bind(C, name='h5r_attr_read')
      import :: c_char, c_int32_t, c_int64_t, c_ptr, c_size_t
      type(c_ptr), value :: object
      character(kind=c_char), intent(in) :: name(*)
      integer(c_int64_t), value :: memory_type
      type(c_ptr), value :: data_out
      integer(c_size_t), value :: capacity
      integer(c_int32_t) :: returned
    end function
    function c_attr_info(object, name, info_out) result(returned) bind(C, name='h5r_attr_info')
      import :: c_char, c_int32_t, c_ptr
      type(c_ptr), value :: object
      character(kind=c_char), intent(in) :: name(*)
      type(c_ptr), value :: info_out
      integer(c_int32_t) :: returned
    end function
    function c_attr_delete(object, name) result(returned) bind(C, name='h5r_attr_delete')
      import :: c_char, c_int32_t, c_ptr
      type(c_ptr), value :: object
      character(kind=c_char), intent(in) :: name(*)
      integer(c_int32_t) :: returned
    end function
    function c_attr_rename(object, from, to) result(returned) bind(C, name='h5r_attr_rename')
      import :: c_char, c_int32_t, c_ptr
      type(c_ptr), value :: object
      character(kind=c_char), intent(in) :: from(*)
      character(kind=c_char), intent(in) :: to(*)
      integer(c_int32_t) :: returned
    end function
    function c_attr_exists(object, name, exists_out) result(returned) bind(C, name='h5r_attr_exists')
      import :: c_bool, c_char, c_int32_t, c_ptr
      type(c_ptr), value :: object
      character(kind=c_char), intent(in) :: name(*)
      logical(c_bool), intent(inout) :: exists_out
      integer(c_int32_t) :: returned
    end function
    function c_attr_count(object, count_out) result(returned) bind(C, name='h5r_attr_count')
      import :: c_int32_t, c_int64_t, c_ptr
      type(c_ptr), value :: object
      integer(c_int64_t), intent(inout) :: count_out
      integer(c_int32_t) :: returned
    end function
    function c_attr_iterate(object, order, visit, user_data) result(returned) bind(C, name='h5r_attr_iterate')
      import :: c_funptr, c_int32_t, c_ptr
      type(c_ptr), value :: object
      integer(c_int32_t), value :: order
      type(c_funptr), value :: visit
      type(c_ptr), value :: user_data
      integer(c_int32_t) :: returned
    end function
    function c_link_delete(loc, path) result(returned) bind(C, name='h5r_link_delete')
      import :: c_char, c_int32_t, c_ptr
      type(c_ptr), value :: loc
      character(kind=c_char), intent(in) :: path(*)
      integer(c_int32_t) :: returned
    end function
    function c_link_exists(loc, path, exists_out) result(returned) bind(C, name='h5r_link_exists')
      import :: c_bool, c_char, c_int32_t, c_ptr
      type(c_ptr), value :: loc
      character(kind=c_char), intent(in) :: path(*)
      logical(c_bool), intent(inout) :: exists_out
      integer(c_int32_t) :: returned
    end function
    function c_link_move(loc, from, to_loc, to) result(returned) bind(C, name='h5r_link_move')
      import :: c_char, c_int32_t, c_ptr
      type(c_ptr), value :: loc
      character(kind=c_char), intent(in) :: from(*)
      type(c_ptr), value :: to_loc
      character(kind=c_char), intent(in) :: to(*)
      integer(c_int32_t) :: returned
    end function
    function c_link_create_soft(loc, path, target) result(returned) bind(C, name='h5r_link_create_soft')
      import :: c_char, c_int32_t, c_ptr
      type(c_ptr), value :: loc
      character(kind=c_char), intent(in) :: path(*)
      character(kind=c_char), intent(in) :: target(*)
      integer(c_int32_t) :: returned
    end function
    function c_link_create_hard(loc, path, target) result(returned) bind(C, name='h5r_link_create_hard')
      import :: c_char, c_int32_t, c_ptr
      type(c_ptr), value :: loc
      character(kind=c_char), intent(in) :: path(*)
      type(c_ptr), value :: target
      integer(c_int32_t) :: returned
    end function
    function c_link_create_external(loc, path, file, target) result(returned) bind(C, name='h5r_link_create_external')
      import :: c_char, c_int32_t, c_ptr
      type(c_ptr), value :: loc
      character(kind=c_char), intent(in) :: path(*)
      character(kind=c_char), intent(in) :: file(*)
      character(kind=c_char), intent(in) :: target(*)
      integer(c_int32_t) :: returned
    end function
    function c_link_create_user(loc, path, user_type, data, length) result(returned) bind(C, name='h5r_link_create_user')
      import :: c_char, c_int32_t, c_ptr, c_size_t
      type(c_ptr), value :: loc
      character(kind=c_char), intent(in) :: path(*)
      integer(c_int32_t), value :: user_type
      type(c_ptr), value :: data
      integer(c_size_t), value :: length
      integer(c_int32_t) :: returned
    end function
    function c_link_value(loc, path, buffer, capacity, length_out) result(returned) bind(C, name='h5r_link_value')
      import :: c_char, c_int32_t, c_ptr, c_size_t
      type(c_ptr), value :: loc
      character(kind=c_char), intent(in) :: path(*)
      type(c_ptr), value :: buffer
      integer(c_size_t), value :: capacity
      integer(c_size_t), intent(inout) :: length_out
      integer(c_int32_t) :: returned
    end function
    function c_link_info(loc, path, info_out) result(returned) bind(C, name='h5r_link_info')
      import :: c_char, c_int32_t, c_ptr
      type(c_ptr), value :: loc
      character(kind=c_char), intent(in) :: path(*)
      type(c_ptr), value :: info_out
      integer(c_int32_t) :: returned
    end function
    function c_link_target(loc, path, buffer, capacity, length_out) result(returned) bind(C, name='h5r_link_target')
      import :: c_char, c_int32_t, c_ptr, c_size_t
      type(c_ptr), value :: loc
      character(kind=c_char), intent(in) :: path(*)
      type(c_ptr), value :: buffer
      integer(c_size_t), value :: capacity
      integer(c_size_t), intent(inout) :: length_out
      integer(c_int32_t) :: returned
    end function
    function c_link_count(group, count_out) result(returned) bind(C, name='h5r_link_count')
      import :: c_int32_t, c_int64_t, c_ptr
      type(c_ptr), value :: group
      integer(c_int64_t), intent(inout) :: count_out
      integer(c_int32_t) :: returned
    end function
    function c_link_iterate(group, order, visit, user_data) result(returned) bind(C, name='h5r_link_iterate')
      import :: c_funptr, c_int32_t, c_ptr
      type(c_ptr), value :: group
      integer(c_int32_t), value :: order
      type(c_funptr), value :: visit
      type(c_ptr), value :: user_data
      integer(c_int32_t) :: returned
    end function
    function c_reference_create(loc, path, kind, selection_in, attribute, buffer, capacity, length_out) &
      result(returned) bind(C, name='h5r_reference_create')
      import :: c_char, c_int32_t, c_ptr, c_size_t
      type(c_ptr), value :: loc
      character(kind=c_char), intent(in) :: path(*)
      integer(c_int32_t), value :: kind
      type(c_ptr), value :: selection_in
      character(kind=c_char), intent(in) :: attribute(*)
      type(c_ptr), value :: buffer
      integer(c_size_t), value :: capacity
      integer(c_size_t), intent(inout) :: length_out
      integer(c_int32_t) :: returned
    end function
    function c_reference_create_points(loc, path, kind, rank, count, points, buffer, capacity, length_out) &
      result(returned) bind(C, name='h5r_reference_create_points')
      import :: c_char, c_int32_t, c_int64_t, c_ptr, c_size_t
      type(c_ptr), value :: loc
      character(kind=c_char), intent(in) :: path(*)
      integer(c_int32_t), value :: kind
      integer(c_size_t), value :: rank
      integer(c_size_t), value :: count
      integer(c_int64_t), intent(in) :: points(*)
      type(c_ptr), value :: buffer
      integer(c_size_t), value :: capacity
      integer(c_size_t), intent(inout) :: length_out
      integer(c_int32_t) :: returned
    end function
    function c_reference_open(loc, kind, reference, length, object_out) result(returned) bind(C, name='h5r_reference_open')
      import :: c_int32_t, c_ptr, c_size_t
      type(c_ptr), value :: loc
      integer(c_int32_t), value :: kind
      type(c_ptr), value :: reference
      integer(c_size_t), value :: length
      type(c_ptr), intent(inout) :: object_out
      integer(c_int32_t) :: returned
    end function
    function c_reference_path(loc, kind, reference, length, buffer, capacity, length_out) &
      result(returned) bind(C, name='h5r_reference_path')
      import :: c_int32_t, c_ptr, c_size_t
      type(c_ptr), value :: loc
      integer(c_int32_t), value :: kind
      type(c_ptr), value :: reference
      integer(c_size_t), value :: length
      type(c_ptr), value :: buffer
      integer(c_size_t), value :: capacity
      integer(c_size_t), intent(inout) :: length_out
      integer(c_int32_t) :: returned
    end function
    function c_reference_attribute(loc, kind, reference, length, buffer, capacity, length_out) &
      result(returned) bind(C, name='h5r_reference_attribute')
      import :: c_int32_t, c_ptr, c_size_t
      type(c_ptr), value :: loc
      integer(c_int32_t), value :: kind
      type(c_ptr), value :: reference
      integer(c_size_t), value :: length
      type(c_ptr), value :: buffer
      integer(c_size_t), value :: capacity
      integer(c_size_t), intent(inout) :: length_out
      integer(c_int32_t) :: returned
    end function
    function c_reference_region(loc, kind, reference, length, selected_out, numbers_out, capacity, count_out) &
      result(returned) bind(C, name='h5r_reference_region')
      import :: c_int32_t, c_int64_t, c_ptr, c_size_t
      type(c_ptr), value :: loc
      integer(c_int32_t), value :: kind
      type(c_ptr), value :: reference
      integer(c_size_t), value :: length
      integer(c_int32_t), intent(inout) :: selected_out
      integer(c_int64_t), intent(inout) :: numbers_out(*)
      integer(c_size_t), value :: capacity
      integer(c_int64_t), intent(inout) :: count_out
      integer(c_int32_t) :: returned
    end function
    function c_set_none(file) result(returned) bind(C, name='h5r_set_none')
      import :: c_int32_t, c_ptr
      type(c_ptr), value :: file
      integer(c_int32_t) :: returned
    end function
    function c_set_lazy(file, options) result(returned) bind(C, name='h5r_set_lazy')
      import :: c_int32_t, c_ptr
      type(c_ptr), value :: file
      type(c_ptr), value :: options
      integer(c_int32_t) :: returned
    end function
    function c_set_incremental(file, options) result(returned) bind(C, name='h5r_set_incremental')
      import :: c_int32_t, c_ptr
      type(c_ptr), value :: file
      type(c_ptr), value :: options
      integer(c_int32_t) :: returned
    end function
    function c_set_smart(file, options) result(returned) bind(C, name='h5r_set_smart')
      import :: c_int32_t, c_ptr
      type(c_ptr), value :: file
      type(c_ptr), value :: options
      integer(c_int32_t) :: returned
    end function
    function c_rebalance(file) result(returned) bind(C, name='h5r_rebalance')
      import :: c_int32_t, c_ptr
      type(c_ptr), value :: file
      integer(c_int32_t) :: returned
    end function
    function c_rebalance_status(file, stats_out) result(returned) bind(C, name='h5r_rebalance_status')
      import :: c_int32_t, c_ptr
      type(c_ptr), value :: file
      type(c_ptr), value :: stats_out
      integer(c_int32_t) :: returned
    end function
    function c_check_path(path, options, report_out, visit, user_data) result(returned) bind(C, name='h5r_check_path')
      import :: c_char, c_funptr, c_int32_t, c_ptr
      character(kind=c_char), intent(in) :: path(*)
      type(c_ptr), value :: options
      type(c_ptr), value :: report_out
      type(c_funptr), value :: visit
      type(c_ptr), value :: user_data
      integer(c_int32_t) :: returned
    end function
  end interface
  interface h5r_attr_write
    module procedure attr_write_int8_0
    module procedure attr_write_int8_1
    module procedure attr_write_int8_2
    module procedure attr_write_int8_3
    module procedure attr_write_int8_4
    module procedure attr_write_int16_0
    module procedure attr_write_int16_1
    module procedure attr_write_int16_2
    module procedure attr_write_int16_3
    module procedure attr_write_int16_4
    module procedure attr_write_int32_0
    module procedure attr_write_int32_1
    module procedure attr_write_int32_2
    module procedure attr_write_int32_3
    module procedure attr_write_int32_4
    module procedure attr_write_int64_0
    module procedure attr_write_int64_1
    module procedure attr_write_int64_2
    module procedure attr_write_int64_3
    module procedure attr_write_int64_4
    module procedure attr_write_real32_0
    module procedure attr_write_real32_1
    module procedure attr_write_real32_2
    module procedure attr_write_real32_3
    module procedure attr_write_real32_4
    module procedure attr_write_real64_0
    module procedure attr_write_real64_1
    module procedure attr_write_real64_2
    module procedure attr_write_real64_3
    module procedure attr_write_real64_4
    module procedure attr_write_complex32_0
    module procedure attr_write_complex32_1
    module procedure attr_write_complex32_2
    module procedure attr_write_complex32_3
    module procedure attr_write_complex32_4
    module procedure attr_write_complex64_0
    module procedure attr_write_complex64_1
    module procedure attr_write_complex64_2
    module procedure attr_write_complex64_3
    module procedure attr_write_complex64_4
    module procedure attr_write_logical_0
    module procedure attr_write_logical_1
    module procedure attr_write_logical_2
    module procedure attr_write_logical_3
    module procedure attr_write_logical_4
    module procedure attr_write_bool_0
    module procedure attr_write_bool_1
    module procedure attr_write_bool_2
    module procedure attr_write_bool_3
    module procedure attr_write_bool_4
    module procedure attr_write_character
    module procedure attr_write_character_1
  end interface
  interface h5r_dataset_write
    module procedure dataset_write_int8_0
    module procedure dataset_write_int8_1
    module procedure dataset_write_int8_2
    module procedure dataset_write_int8_3
    module procedure dataset_write_int8_4
    module procedure dataset_write_int8_5
    module procedure dataset_write_int16_0
    module procedure dataset_write_int16_1
    module procedure dataset_write_int16_2
    module procedure dataset_write_int16_3
    module procedure dataset_write_int16_4
    module procedure dataset_write_int16_5
    module procedure dataset_write_int32_0
    module procedure dataset_write_int32_1
    module procedure dataset_write_int32_2
    module procedure dataset_write_int32_3
    module procedure dataset_write_int32_4
    module procedure dataset_write_int32_5
    module procedure dataset_write_int64_0
    module procedure dataset_write_int64_1
    module procedure dataset_write_int64_2
    module procedure dataset_write_int64_3
    module procedure dataset_write_int64_4
    module procedure dataset_write_int64_5
    module procedure dataset_write_real32_0
    module procedure dataset_write_real32_1
    module procedure dataset_write_real32_2
    module procedure dataset_write_real32_3
    module procedure dataset_write_real32_4
    module procedure dataset_write_real32_5
    module procedure dataset_write_real64_0
    module procedure dataset_write_real64_1
    module procedure dataset_write_real64_2
    module procedure dataset_write_real64_3
    module procedure dataset_write_real64_4
    module procedure dataset_write_real64_5
    module procedure dataset_write_complex32_0
    module procedure dataset_write_complex32_1
    module procedure dataset_write_complex32_2
    module procedure dataset_write_complex32_3
    module procedure dataset_write_complex32_4
    module procedure dataset_write_complex32_5
    module procedure dataset_write_complex64_0
    module procedure dataset_write_complex64_1
    module procedure dataset_write_complex64_2
    module procedure dataset_write_complex64_3
    module procedure dataset_write_complex64_4
    module procedure dataset_write_complex64_5
    module procedure dataset_write_logical_0
    module procedure dataset_write_logical_1
    module procedure dataset_write_logical_2
    module procedure dataset_write_logical_3
    module procedure dataset_write_logical_4
    module procedure dataset_write_logical_5
    module procedure dataset_write_bool_0
    module procedure dataset_write_bool_1
    module procedure dataset_write_bool_2
    module procedure dataset_write_bool_3
    module procedure dataset_write_bool_4
    module procedure dataset_write_bool_5
    module procedure dataset_write_character
    module procedure dataset_write_character_1
  end interface
  interface h5r_attr_read
    module procedure attr_read_int8_0
    module procedure attr_read_int8_1
    module procedure attr_read_int8_2
    module procedure attr_read_int8_3
    module procedure attr_read_int8_4
    module procedure attr_read_int16_0
    module procedure attr_read_int16_1
    module procedure attr_read_int16_2
    module procedure attr_read_int16_3
    module procedure attr_read_int16_4
    module procedure attr_read_int32_0
    module procedure attr_read_int32_1
    module procedure attr_read_int32_2
    module procedure attr_read_int32_3
    module procedure attr_read_int32_4
    module procedure attr_read_int64_0
    module procedure attr_read_int64_1
    module procedure attr_read_int64_2
    module procedure attr_read_int64_3
    module procedure attr_read_int64_4
    module procedure attr_read_real32_0
    module procedure attr_read_real32_1
    module procedure attr_read_real32_2
    module procedure attr_read_real32_3
    module procedure attr_read_real32_4
    module procedure attr_read_real64_0
    module procedure attr_read_real64_1
    module procedure attr_read_real64_2
    module procedure attr_read_real64_3
    module procedure attr_read_real64_4
    module procedure attr_read_complex32_0
    module procedure attr_read_complex32_1
    module procedure attr_read_complex32_2
    module procedure attr_read_complex32_3
    module procedure attr_read_complex32_4
    module procedure attr_read_complex64_0
    module procedure attr_read_complex64_1
    module procedure attr_read_complex64_2
    module procedure attr_read_complex64_3
    module procedure attr_read_complex64_4
    module procedure attr_read_logical_0
    module procedure attr_read_logical_1
    module procedure attr_read_logical_2
    module procedure attr_read_logical_3
    module procedure attr_read_logical_4
    module procedure attr_read_bool_0
    module procedure attr_read_bool_1
    module procedure attr_read_bool_2
    module procedure attr_read_bool_3
    module procedure attr_read_bool_4
    module procedure attr_read_character
    module procedure attr_read_character_1
  end interface
  interface h5r_dataset_read
    module procedure dataset_read_int8_0
    module procedure dataset_read_int8_1
    module procedure dataset_read_int8_2
    module procedure dataset_read_int8_3
    module procedure dataset_read_int8_4
    module procedure dataset_read_int8_5
    module procedure dataset_read_int16_0
    module procedure dataset_read_int16_1
    module procedure dataset_read_int16_2
    module procedure dataset_read_int16_3
    module procedure dataset_read_int16_4
    module procedure dataset_read_int16_5
    module procedure dataset_read_int32_0
    module procedure dataset_read_int32_1
    module procedure dataset_read_int32_2
    module procedure dataset_read_int32_3
    module procedure dataset_read_int32_4
    module procedure dataset_read_int32_5
    module procedure dataset_read_int64_0
    module procedure dataset_read_int64_1
    module procedure dataset_read_int64_2
    module procedure dataset_read_int64_3
    module procedure dataset_read_int64_4
    module procedure dataset_read_int64_5
    module procedure dataset_read_real32_0
    module procedure dataset_read_real32_1
    module procedure dataset_read_real32_2
    module procedure dataset_read_real32_3
    module procedure dataset_read_real32_4
    module procedure dataset_read_real32_5
    module procedure dataset_read_real64_0
    module procedure dataset_read_real64_1
    module procedure dataset_read_real64_2
    module procedure dataset_read_real64_3
    module procedure dataset_read_real64_4
    module procedure dataset_read_real64_5
    module procedure dataset_read_complex32_0
    module procedure dataset_read_complex32_1
    module procedure dataset_read_complex32_2
    module procedure dataset_read_complex32_3
    module procedure dataset_read_complex32_4
    module procedure dataset_read_complex32_5
    module procedure dataset_read_complex64_0
    module procedure dataset_read_complex64_1
    module procedure dataset_read_complex64_2
    module procedure dataset_read_complex64_3
    module procedure dataset_read_complex64_4
    module procedure dataset_read_complex64_5
    module procedure dataset_read_logical_0
    module procedure dataset_read_logical_1
    module procedure dataset_read_logical_2
    module procedure dataset_read_logical_3
    module procedure dataset_read_logical_4
    module procedure dataset_read_logical_5
    module procedure dataset_read_bool_0
    module procedure dataset_read_bool_1
    module procedure dataset_read_bool_2
    module procedure dataset_read_bool_3
    module procedure dataset_read_bool_4
    module procedure dataset_read_bool_5
    module procedure dataset_read_character
    module procedure dataset_read_character_1
  end interface
  interface h5r_dataset_append
    module procedure dataset_append_int8_0
    module procedure dataset_append_int8_1
    module procedure dataset_append_int8_2
    module procedure dataset_append_int8_3
    module procedure dataset_append_int8_4
    module procedure dataset_append_int8_5
    module procedure dataset_append_int16_0
    module procedure dataset_append_int16_1
    module procedure dataset_append_int16_2
    module procedure dataset_append_int16_3
    module procedure dataset_append_int16_4
    module procedure dataset_append_int16_5
    module procedure dataset_append_int32_0
    module procedure dataset_append_int32_1
    module procedure dataset_append_int32_2
    module procedure dataset_append_int32_3
    module procedure dataset_append_int32_4
    module procedure dataset_append_int32_5
    module procedure dataset_append_int64_0
    module procedure dataset_append_int64_1
    module procedure dataset_append_int64_2
    module procedure dataset_append_int64_3
    module procedure dataset_append_int64_4
    module procedure dataset_append_int64_5
    module procedure dataset_append_real32_0
    module procedure dataset_append_real32_1
    module procedure dataset_append_real32_2
    module procedure dataset_append_real32_3
    module procedure dataset_append_real32_4
    module procedure dataset_append_real32_5
    module procedure dataset_append_real64_0
    module procedure dataset_append_real64_1
    module procedure dataset_append_real64_2
    module procedure dataset_append_real64_3
    module procedure dataset_append_real64_4
    module procedure dataset_append_real64_5
    module procedure dataset_append_complex32_0
    module procedure dataset_append_complex32_1
    module procedure dataset_append_complex32_2
    module procedure dataset_append_complex32_3
    module procedure dataset_append_complex32_4
    module procedure dataset_append_complex32_5
    module procedure dataset_append_complex64_0
    module procedure dataset_append_complex64_1
    module procedure dataset_append_complex64_2
    module procedure dataset_append_complex64_3
    module procedure dataset_append_complex64_4
    module procedure dataset_append_complex64_5
    module procedure dataset_append_logical_0
    module procedure dataset_append_logical_1
    module procedure dataset_append_logical_2
    module procedure dataset_append_logical_3
    module procedure dataset_append_logical_4
    module procedure dataset_append_logical_5
    module procedure dataset_append_bool_0
    module procedure dataset_append_bool_1
    module procedure dataset_append_bool_2
    module procedure dataset_append_bool_3
    module procedure dataset_append_bool_4
    module procedure dataset_append_bool_5
    module procedure dataset_append_as
  end interface
! end interfaces

  interface h5r_dataset_create
    module procedure dataset_create_int32, dataset_create_int64
  end interface
  interface h5r_dataset_set_extent
    module procedure dataset_set_extent_int32, dataset_set_extent_int64
  end interface
  interface h5r_attr_write_variable
    module procedure attr_write_characters, attr_write_strings, attr_write_int64_sequences, attr_write_real64_sequences
  end interface
  interface h5r_attr_read_variable
    module procedure attr_read_strings, attr_read_int64_sequences, attr_read_real64_sequences
  end interface
  interface h5r_dataset_write_variable
    module procedure dataset_write_characters, dataset_write_strings
    module procedure dataset_write_int64_sequences, dataset_write_real64_sequences
  end interface
  interface h5r_dataset_read_variable
    module procedure dataset_read_strings, dataset_read_int64_sequences, dataset_read_real64_sequences
  end interface

  public :: h5r_last_error, h5r_status_name, h5r_version, h5r_text
  public :: h5r_filter_register, h5r_filter_unregister
  public :: h5r_create, h5r_open, h5r_flush, h5r_set_durability, h5r_close, h5r_check, h5r_root
  public :: h5r_check_path
  public :: h5r_group_create, h5r_object_open, h5r_object_close, h5r_object_kind
  public :: h5r_dataset_create, h5r_dataset_info, h5r_dataset_dims, h5r_type_string, h5r_type_size, h5r_type_close
  public :: h5r_type_class, h5r_type_equal, h5r_type_describe, h5r_type_copy, h5r_type_integer, h5r_type_float
  public :: h5r_type_bitfield, h5r_type_complex, h5r_type_time, h5r_type_string_variable, h5r_type_vlen
  public :: h5r_type_opaque, h5r_type_array, h5r_type_reference, h5r_type_compound, h5r_type_insert, h5r_type_enum
  public :: h5r_type_enum_insert, h5r_type_enum_value, h5r_type_get_layout, h5r_type_string_info, h5r_type_is_variable
  public :: h5r_type_is_committed, h5r_type_member_count, h5r_type_member_name, h5r_type_member_index, h5r_type_member
  public :: h5r_type_logical, h5r_type_complex_pair
  public :: h5r_type_base, h5r_type_dims, h5r_type_tag, h5r_type_reference_kind, h5r_type_commit, h5r_object_type
  public :: h5r_attr_type, h5r_attr_write_as, h5r_attr_read_as, h5r_dataset_write_as, h5r_dataset_read_as
  public :: h5r_dataset_set_extent, h5r_dataset_append, h5r_dataset_read_points, h5r_dataset_write_points
  public :: h5r_dataset_read_list, h5r_dataset_write_list, h5r_dataset_read_into, h5r_dataset_write_from, h5r_part
  public :: h5r_chunk_info, h5r_chunk_read, h5r_chunk_write, h5r_chunk_cache_info, h5r_chunk_cache_set, h5r_set_progress
  public :: h5r_attr_info, h5r_attr_delete, h5r_attr_rename, h5r_attr_exists, h5r_attr_count, h5r_attr_iterate
  public :: h5r_link_delete, h5r_link_exists, h5r_link_move, h5r_link_create_soft, h5r_link_create_hard
  public :: h5r_link_count, h5r_link_iterate, h5r_link_create_external, h5r_link_create_user, h5r_link_info
  public :: h5r_link_target, h5r_link_value, h5r_object_path, h5r_attr_write_null, h5r_chunk_iterate, h5r_version_number
  public :: h5r_object_copy, h5r_reference_create, h5r_reference_create_points, h5r_reference_open, h5r_reference_path
  public :: h5r_reference_attribute, h5r_reference_region
  public :: h5r_object_info, h5r_object_visit, h5r_object_comment, h5r_object_set_comment
  public :: h5r_set_none, h5r_set_lazy, h5r_set_incremental, h5r_set_smart, h5r_rebalance, h5r_rebalance_status
  public :: h5r_attr_write, h5r_attr_read, h5r_dataset_write, h5r_dataset_read
  public :: h5r_attr_write_variable, h5r_attr_read_variable, h5r_dataset_write_variable, h5r_dataset_read_variable
  public :: h5r_vlen_release

contains

  ! The text that a C string holds.
  function h5r_text(text) result(string)
    type(c_ptr), intent(in) :: text
    character(:), allocatable :: string
    character(kind=c_char), pointer :: bytes(:)
    integer :: i, length
    string = ''
    if (.not. c_associated(text)) return
    length = int(c_strlen(text))
    call c_f_pointer(text, bytes, [length])
    string = repeat(' ', length)
    do i = 1, length
      string(i:i) = bytes(i)
    end do
  end function

  function h5r_last_error() result(message)
    character(:), allocatable :: message
    message = h5r_text(c_last_error())
  end function

  function h5r_status_name(status) result(name)
    integer, intent(in) :: status
    character(:), allocatable :: name
    name = h5r_text(c_status_name(int(status, c_int32_t)))
  end function

  ! major * 65536 + minor * 256 + patch.
  integer function h5r_version_number()
    h5r_version_number = int(c_version_number())
  end function

  function h5r_version() result(version)
    character(:), allocatable :: version
    version = h5r_text(c_version())
  end function

  ! Hands the status over, or stops with the message.
  subroutine finish(code, status)
    integer(c_int32_t), intent(in) :: code
    integer, intent(out), optional :: status
    if (present(status)) then
      status = int(code)
    else if (code /= H5R_OK) then
      write (error_unit, '(3a)') h5r_status_name(int(code)), ': ', h5r_last_error()
      error stop 1
    end if
  end subroutine

  ! Refuses something with a message of the module's own.
  subroutine refuse(message, status)
    character(*), intent(in) :: message
    integer, intent(out), optional :: status
    call finish(c_set_last_error(H5R_ERR_ARGUMENT, c_string(message)), status)
  end subroutine

  ! Closes a made type; the message of the call that returned `code` stays.
  subroutine drop(type, code)
    integer(c_int64_t), intent(in) :: type
    integer(c_int32_t), intent(in) :: code
    character(:), allocatable :: message
    integer(c_int32_t) :: ignored
    if (code /= H5R_OK) message = h5r_last_error()
    ignored = c_type_close(type)
    if (code /= H5R_OK) ignored = c_set_last_error(code, c_string(message))
  end subroutine

  function c_string(text) result(string)
    character(*), intent(in) :: text
    character(:, c_char), allocatable :: string
    string = trim(text)//c_null_char
  end function

  ! Creates a file; one that exists is replaced unless the options say otherwise.
  subroutine h5r_create(path, file, options, status)
    character(*), intent(in) :: path
    type(h5r_file), intent(out) :: file
    type(h5r_create_options), intent(in), optional, target :: options
    integer, intent(out), optional :: status
    type(c_ptr) :: given
    given = c_null_ptr
    if (present(options)) given = c_loc(options)
    call finish(c_create(c_string(path), given, file%handle), status)
  end subroutine

  subroutine h5r_open(path, file, options, status)
    character(*), intent(in) :: path
    type(h5r_file), intent(out) :: file
    type(h5r_open_options), intent(in), optional, target :: options
    integer, intent(out), optional :: status
    type(c_ptr) :: given
    given = c_null_ptr
    if (present(options)) given = c_loc(options)
    call finish(c_open(c_string(path), given, file%handle), status)
  end subroutine

  subroutine h5r_flush(file, status)
    type(h5r_file), intent(in) :: file
    integer, intent(out), optional :: status
    call finish(c_flush(file%handle), status)
  end subroutine

  ! Sets what flushes survive from now on: H5R_DURABILITY_PROCESS, _POWER or _NONE.
  subroutine h5r_set_durability(file, durability, status)
    type(h5r_file), intent(in) :: file
    integer(c_int32_t), intent(in) :: durability
    integer, intent(out), optional :: status
    call finish(c_set_durability(file%handle, durability), status)
  end subroutine

  ! Registers a filter for all files of the process: encode and decode are c_funloc of an h5r_filter_callback, or c_null_funptr.
  subroutine h5r_filter_register(id, name, encode, decode, user_data, status)
    integer(c_int32_t), intent(in) :: id
    character(*), intent(in) :: name
    type(c_funptr), intent(in) :: encode, decode
    type(c_ptr), intent(in), optional :: user_data
    integer, intent(out), optional :: status
    type(c_ptr) :: given
    given = c_null_ptr
    if (present(user_data)) given = user_data
    call finish(c_filter_register(id, c_string(name), encode, decode, given), status)
  end subroutine

  ! Takes it out; its callbacks never come again.
  subroutine h5r_filter_unregister(id, status)
    integer(c_int32_t), intent(in) :: id
    integer, intent(out), optional :: status
    call finish(c_filter_unregister(id), status)
  end subroutine

  ! Flushes and closes the file and everything that was opened from it.
  subroutine h5r_close(file, status)
    type(h5r_file), intent(inout) :: file
    integer, intent(out), optional :: status
    integer(c_int32_t) :: code
    code = c_close(file%handle)
    if (code /= H5R_ERR_REENTRANT) file%handle = c_null_ptr
    call finish(code, status)
  end subroutine

  ! Checks every structure of the file.
  subroutine h5r_check(file, status)
    type(h5r_file), intent(in) :: file
    integer, intent(out), optional :: status
    call finish(c_check(file%handle), status)
  end subroutine

  ! Checks the file at path and counts what it finds in report; damage is no error. Tells visit each finding.
  subroutine h5r_check_path(path, report, visit, options, status)
    character(*), intent(in) :: path
    type(h5r_check_report), intent(out), target :: report
    procedure(h5r_finding_visit), optional :: visit
    type(h5r_check_options), intent(in), optional, target :: options
    integer, intent(out), optional :: status
    type(finding_visitor), target :: context
    type(c_ptr) :: given
    type(c_funptr) :: call_visit
    given = c_null_ptr
    if (present(options)) given = c_loc(options)
    call_visit = c_null_funptr
    if (present(visit)) then
      context%call => visit
      call_visit = c_funloc(visit_finding)
    end if
    call finish(c_check_path(c_string(path), given, c_loc(report), call_visit, c_loc(context)), status)
  end subroutine

  function visit_finding(finding, user_data) result(answer) bind(C)
    type(c_finding), intent(in) :: finding
    type(c_ptr), value :: user_data
    integer(c_int32_t) :: answer
    type(finding_visitor), pointer :: context
    call c_f_pointer(user_data, context)
    answer = int(context%call(int(finding%severity), int(finding%kind), finding%address, h5r_text(finding%path), &
      h5r_text(finding%message)), c_int32_t)
  end function

  ! The root group: borrowed, closed with the file.
  function h5r_root(file) result(root)
    type(h5r_file), intent(in) :: file
    type(h5r_object) :: root
    root%handle = c_root(file%handle)
  end function

  subroutine h5r_group_create(loc, path, group, options, status)
    type(h5r_object), intent(in) :: loc
    character(*), intent(in) :: path
    type(h5r_object), intent(out) :: group
    type(h5r_group_options), intent(in), optional, target :: options
    integer, intent(out), optional :: status
    type(c_ptr) :: given
    given = c_null_ptr
    if (present(options)) given = c_loc(options)
    call finish(c_group_create(loc%handle, c_string(path), given, group%handle), status)
  end subroutine

  subroutine h5r_object_open(loc, path, object, status)
    type(h5r_object), intent(in) :: loc
    character(*), intent(in) :: path
    type(h5r_object), intent(out) :: object
    integer, intent(out), optional :: status
    call finish(c_object_open(loc%handle, c_string(path), object%handle), status)
  end subroutine

  subroutine h5r_object_close(object, status)
    type(h5r_object), intent(inout) :: object
    integer, intent(out), optional :: status
    integer(c_int32_t) :: code
    code = c_object_close(object%handle)
    object%handle = c_null_ptr
    call finish(code, status)
  end subroutine

  ! H5R_KIND_GROUP, H5R_KIND_DATASET or H5R_KIND_TYPE.
  subroutine h5r_object_kind(object, kind, status)
    type(h5r_object), intent(in) :: object
    integer, intent(out) :: kind
    integer, intent(out), optional :: status
    integer(c_int32_t) :: number
    number = -1
    call finish(c_object_kind(object%handle, number), status)
    kind = int(number)
  end subroutine

  ! The absolute path by which the object was opened or created.
  subroutine h5r_object_path(object, path, status)
    type(h5r_object), intent(in) :: object
    character(:), allocatable, intent(out) :: path
    integer, intent(out), optional :: status
    character(kind=c_char), allocatable, target :: buffer(:)
    integer(c_size_t) :: length
    integer(c_int32_t) :: returned
    length = 0
    returned = c_object_path(object%handle, c_null_ptr, 0_c_size_t, length)
    allocate (buffer(length + 1))
    buffer = c_null_char
    if (returned == H5R_OK) returned = c_object_path(object%handle, c_loc(buffer), length + 1, length)
    path = h5r_text(c_loc(buffer))
    call finish(returned, status)
  end subroutine

  ! Describes the object at `path`, or, without one, `loc` itself.
  subroutine h5r_object_info(loc, info, path, status)
    type(h5r_object), intent(in) :: loc
    type(h5r_object_details), intent(out), target :: info
    character(*), intent(in), optional :: path
    integer, intent(out), optional :: status
    if (present(path)) then
      call finish(c_object_info(loc%handle, c_string(path), c_loc(info)), status)
    else
      call finish(c_object_info(loc%handle, c_string('.'), c_loc(info)), status)
    end if
  end subroutine

  ! Calls visit(path, kind) for `loc`, '.', and for each object that hard links lead to from there, once.
  subroutine h5r_object_visit(loc, order, visit, status)
    type(h5r_object), intent(in) :: loc
    integer, intent(in) :: order
    procedure(h5r_path_visit) :: visit
    integer, intent(out), optional :: status
    type(path_visitor), target :: context
    context%call => visit
    call finish(c_object_visit(loc%handle, int(order, c_int32_t), c_funloc(visit_path), c_loc(context)), status)
  end subroutine

  function visit_path(path, kind, user_data) result(answer) bind(C)
    type(c_ptr), value :: path
    integer(c_int32_t), value :: kind
    type(c_ptr), value :: user_data
    integer(c_int32_t) :: answer
    type(path_visitor), pointer :: context
    call c_f_pointer(user_data, context)
    answer = int(context%call(h5r_text(path), int(kind)), c_int32_t)
  end function

  ! The object's comment, empty where it has none.
  subroutine h5r_object_comment(object, comment, status)
    type(h5r_object), intent(in) :: object
    character(:), allocatable, intent(out) :: comment
    integer, intent(out), optional :: status
    character(kind=c_char), allocatable, target :: buffer(:)
    integer(c_size_t) :: length
    integer(c_int32_t) :: returned
    length = 0
    returned = c_object_comment(object%handle, c_null_ptr, 0_c_size_t, length)
    allocate (buffer(length + 1))
    buffer = c_null_char
    if (returned == H5R_OK) returned = c_object_comment(object%handle, c_loc(buffer), length + 1, length)
    comment = h5r_text(c_loc(buffer))
    call finish(returned, status)
  end subroutine

  ! The bytes of a reference of a kind, H5R_REF_..., to the object at `path`, to elements of a dataset, all without `part`, or to
  ! its attribute.
  subroutine h5r_reference_create(loc, path, kind, reference, attribute, status, part)
    type(h5r_object), intent(in) :: loc
    character(*), intent(in) :: path
    integer(c_int32_t), intent(in) :: kind
    integer(int8), allocatable, target, intent(out) :: reference(:)
    character(*), intent(in), optional :: attribute
    integer, intent(out), optional :: status
    type(h5r_selection), intent(in), target, optional :: part
    character(:), allocatable :: name
    type(c_selection), target :: made
    type(c_ptr) :: selected
    integer(c_int32_t) :: returned
    integer(c_size_t) :: length
    length = 0
    name = ''
    selected = c_null_ptr
    if (present(attribute)) name = attribute
    if (present(part)) then
      made = plain_part(part)
      selected = c_loc(made)
    end if
    returned = create(c_null_ptr, 0_c_size_t)
    allocate (reference(length))
    if (returned == H5R_OK) returned = create(c_loc(reference), length)
    call finish(returned, status)
  contains
    integer(c_int32_t) function create(buffer, capacity)
      type(c_ptr), intent(in) :: buffer
      integer(c_size_t), intent(in) :: capacity
      create = c_reference_create(loc%handle, c_string(path), kind, selected, c_string(name), buffer, capacity, length)
    end function
  end subroutine

  ! The bytes of a reference of a kind of regions to the elements of the dataset at `path` that are at points(:, i), whose
  ! coordinates count from 1 in Fortran's order.
  subroutine h5r_reference_create_points(loc, path, kind, points, reference, status)
    type(h5r_object), intent(in) :: loc
    character(*), intent(in) :: path
    integer(c_int32_t), intent(in) :: kind
    integer, intent(in) :: points(:, :)
    integer(int8), allocatable, target, intent(out) :: reference(:)
    integer, intent(out), optional :: status
    integer(c_int64_t), target :: places(size(points, 1), size(points, 2))
    integer(c_int32_t) :: returned
    integer(c_size_t) :: length
    length = 0
    places = int(points(size(points, 1):1:-1, :), c_int64_t) - 1
    returned = create(c_null_ptr, 0_c_size_t)
    allocate (reference(length))
    if (returned == H5R_OK) returned = create(c_loc(reference), length)
    call finish(returned, status)
  contains
    integer(c_int32_t) function create(buffer, capacity)
      type(c_ptr), intent(in) :: buffer
      integer(c_size_t), intent(in) :: capacity
      create = c_reference_create_points(loc%handle, c_string(path), kind, size(points, 1, kind=c_size_t), &
        size(points, 2, kind=c_size_t), places, buffer, capacity, length)
    end function
  end subroutine

  subroutine h5r_reference_open(loc, kind, reference, object, status)
    type(h5r_object), intent(in) :: loc
    integer(c_int32_t), intent(in) :: kind
    integer(int8), target, intent(in) :: reference(:)
    type(h5r_object), intent(out) :: object
    integer, intent(out), optional :: status
    integer(c_size_t) :: length
    length = size(reference, kind=c_size_t)
    call finish(c_reference_open(loc%handle, kind, c_loc(reference), length, object%handle), status)
  end subroutine

  ! A path of the object that a reference leads to.
  subroutine h5r_reference_path(loc, kind, reference, path, status)
    type(h5r_object), intent(in) :: loc
    integer(c_int32_t), intent(in) :: kind
    integer(int8), target, intent(in) :: reference(:)
    character(:), allocatable, intent(out) :: path
    integer, intent(out), optional :: status
    call reference_text(c_reference_path, loc, kind, reference, path, status)
  end subroutine

  ! The name of the attribute that a reference refers to.
  subroutine h5r_reference_attribute(loc, kind, reference, attribute, status)
    type(h5r_object), intent(in) :: loc
    integer(c_int32_t), intent(in) :: kind
    integer(int8), target, intent(in) :: reference(:)
    character(:), allocatable, intent(out) :: attribute
    integer, intent(out), optional :: status
    call reference_text(c_reference_attribute, loc, kind, reference, attribute, status)
  end subroutine

  subroutine reference_text(ask, loc, kind, reference, text, status)
    procedure(c_reference_path) :: ask
    type(h5r_object), intent(in) :: loc
    integer(c_int32_t), intent(in) :: kind
    integer(int8), target, intent(in) :: reference(:)
    character(:), allocatable, intent(out) :: text
    integer, intent(out), optional :: status
    character(kind=c_char), allocatable, target :: buffer(:)
    integer(c_size_t) :: bytes, length
    integer(c_int32_t) :: returned
    length = 0
    bytes = size(reference, kind=c_size_t)
    returned = ask(loc%handle, kind, c_loc(reference), bytes, c_null_ptr, 0_c_size_t, length)
    allocate (buffer(length + 1))
    buffer = c_null_char
    if (returned == H5R_OK) returned = ask(loc%handle, kind, c_loc(reference), bytes, c_loc(buffer), length + 1, length)
    text = h5r_text(c_loc(buffer))
    call finish(returned, status)
  end subroutine

  ! The elements that a reference to a region refers to: H5R_SELECTED_... in `selected`; in places(:, i), whose coordinates count
  ! from 1 in Fortran's order, points, or by turns the first and the last element of each block.
  subroutine h5r_reference_region(loc, kind, reference, selected, places, status)
    type(h5r_object), intent(in) :: loc
    integer(c_int32_t), intent(in) :: kind
    integer(int8), target, intent(in) :: reference(:)
    integer, intent(out) :: selected
    integer(int64), allocatable, intent(out) :: places(:, :)
    integer, intent(out), optional :: status
    type(h5r_object) :: dataset
    type(dataset_details), target :: details
    integer(c_int64_t), allocatable, target :: numbers(:)
    integer(c_int64_t) :: total, rank
    integer(c_size_t) :: bytes
    integer(c_int32_t) :: returned, ignored, which
    bytes = size(reference, kind=c_size_t)
    total = 0
    rank = 0
    which = H5R_SELECTED_NONE
    allocate (numbers(0))
    returned = c_reference_region(loc%handle, kind, c_loc(reference), bytes, which, numbers, 0_c_size_t, total)
    if (returned == H5R_OK) returned = c_reference_open(loc%handle, kind, c_loc(reference), bytes, dataset%handle)
    if (returned == H5R_OK) then
      returned = c_dataset_info(dataset%handle, c_loc(details))
      if (returned == H5R_OK) then
        rank = details%rank
        ignored = c_type_close(details%type)
      end if
      ignored = c_object_close(dataset%handle)
    end if
    if (returned == H5R_OK .and. total > 0) then
      deallocate (numbers)
      allocate (numbers(total))
      returned = c_reference_region(loc%handle, kind, c_loc(reference), bytes, which, numbers, int(total, c_size_t), total)
    end if
    selected = int(which)
    places = reshape(numbers, [rank, size(numbers, kind=c_int64_t) / max(rank, 1_c_int64_t)])
    places = places(rank:1:-1, :) + 1
    call finish(returned, status)
  end subroutine

  ! An empty comment takes it away.
  subroutine h5r_object_set_comment(object, comment, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: comment
    integer, intent(out), optional :: status
    call finish(c_object_set_comment(object%handle, c_string(comment)), status)
  end subroutine

  subroutine dataset_create_int32(loc, path, type, dims, dataset, options, status)
    type(h5r_object), intent(in) :: loc
    character(*), intent(in) :: path
    integer(c_int64_t), intent(in) :: type
    integer(int32), intent(in) :: dims(:)
    type(h5r_object), intent(out) :: dataset
    type(h5r_dataset_options), intent(in), optional, target :: options
    integer, intent(out), optional :: status
    call dataset_create_int64(loc, path, type, int(dims, int64), dataset, options, status)
  end subroutine

  ! Creates a dataset of shape `dims`; no dimensions make a scalar.
  subroutine dataset_create_int64(loc, path, type, dims, dataset, options, status)
    type(h5r_object), intent(in) :: loc
    character(*), intent(in) :: path
    integer(c_int64_t), intent(in) :: type
    integer(int64), intent(in) :: dims(:)
    type(h5r_object), intent(out) :: dataset
    type(h5r_dataset_options), intent(in), optional, target :: options
    integer, intent(out), optional :: status
    type(c_ptr) :: given
    given = c_null_ptr
    if (present(options)) given = c_loc(options)
    call finish(c_dataset_create(loc%handle, c_string(path), type, size(dims, kind=c_size_t), &
      reversed(dims), given, dataset%handle), status)
  end subroutine

  pure function reversed(dims) result(other_way)
    integer(c_int64_t), intent(in) :: dims(:)
    integer(c_int64_t) :: other_way(size(dims))
    other_way = dims(size(dims):1:-1)
  end function

  subroutine h5r_dataset_info(dataset, info, status)
    type(h5r_object), intent(in) :: dataset
    type(h5r_info), intent(out) :: info
    integer, intent(out), optional :: status
    type(dataset_details), target :: details
    integer(c_int32_t) :: code
    code = c_dataset_info(dataset%handle, c_loc(details))
    if (code == H5R_OK) then
      info%type = details%type
      info%space = details%space
      info%layout = details%layout
      info%storage_size = details%storage_size
    end if
    info%dims = reversed(details%dims(:details%rank))
    info%max_dims = reversed(details%max_dims(:details%rank))
    call finish(code, status)
  end subroutine

  ! The dimensions alone, in Fortran's order: cheap, where h5r_dataset_info reads the index of all chunks.
  subroutine h5r_dataset_dims(dataset, dims, status)
    type(h5r_object), intent(in) :: dataset
    integer(int64), allocatable, intent(out) :: dims(:)
    integer, intent(out), optional :: status
    integer(c_int64_t) :: elements, extents(H5R_MAX_RANK)
    integer(c_size_t) :: rank
    integer(c_int32_t) :: code
    rank = 0
    elements = 0
    code = c_dataset_dims(dataset%handle, rank, extents, elements)
    dims = reversed(extents(:rank))
    call finish(code, status)
  end subroutine

  ! The type of strings of `size` bytes; Fortran's padding and UTF-8 where nothing else is said.
  subroutine h5r_type_string(size, type, padding, charset, status)
    integer, intent(in) :: size
    integer(c_int64_t), intent(out) :: type
    integer, intent(in), optional :: padding, charset
    integer, intent(out), optional :: status
    integer(c_int32_t) :: how_padded, which_charset
    how_padded = H5R_PAD_SPACE
    which_charset = H5R_CHARSET_UTF8
    if (present(padding)) how_padded = int(padding, c_int32_t)
    if (present(charset)) which_charset = int(charset, c_int32_t)
    type = 0
    call finish(c_type_string(int(size, c_size_t), how_padded, which_charset, type), status)
  end subroutine

  subroutine h5r_type_size(type, size, status)
    integer(c_int64_t), intent(in) :: type
    integer(int64), intent(out) :: size
    integer, intent(out), optional :: status
    integer(c_size_t) :: bytes
    bytes = 0
    call finish(c_type_size(type, bytes), status)
    size = int(bytes, int64)
  end subroutine

  ! H5R_CLASS_...
  subroutine h5r_type_class(type, class, status)
    integer(c_int64_t), intent(in) :: type
    integer, intent(out) :: class
    integer, intent(out), optional :: status
    integer(c_int32_t) :: number
    number = -1
    call finish(c_type_class(type, number), status)
    class = int(number)
  end subroutine

  subroutine h5r_type_equal(a, b, equal, status)
    integer(c_int64_t), intent(in) :: a, b
    logical, intent(out) :: equal
    integer, intent(out), optional :: status
    logical(c_bool) :: same
    same = .false.
    call finish(c_type_equal(a, b, same), status)
    equal = same
  end subroutine

  ! The type in words.
  subroutine h5r_type_describe(type, text, status)
    integer(c_int64_t), intent(in) :: type
    character(:), allocatable, intent(out) :: text
    integer, intent(out), optional :: status
    character(kind=c_char), allocatable, target :: buffer(:)
    integer(c_size_t) :: length
    integer :: i
    integer(c_int32_t) :: code
    length = 0
    code = c_type_describe(type, c_null_ptr, 0_c_size_t, length)
    allocate (buffer(length + 1))
    if (code == H5R_OK) code = c_type_describe(type, c_loc(buffer), length + 1, length)
    text = ''
    if (code == H5R_OK) then
      text = repeat(' ', int(length))
      do i = 1, int(length)
        text(i:i) = buffer(i)
      end do
    end if
    call finish(code, status)
  end subroutine

  ! An opaque type's tag.
  subroutine h5r_type_tag(type, text, status)
    integer(c_int64_t), intent(in) :: type
    character(:), allocatable, intent(out) :: text
    integer, intent(out), optional :: status
    character(kind=c_char), allocatable, target :: buffer(:)
    integer(c_size_t) :: length
    integer :: i
    integer(c_int32_t) :: code
    length = 0
    code = c_type_tag(type, c_null_ptr, 0_c_size_t, length)
    allocate (buffer(length + 1))
    if (code == H5R_OK) code = c_type_tag(type, c_loc(buffer), length + 1, length)
    text = ''
    if (code == H5R_OK) then
      text = repeat(' ', int(length))
      do i = 1, int(length)
        text(i:i) = buffer(i)
      end do
    end if
    call finish(code, status)
  end subroutine

  ! Members and names are counted from 1.
  subroutine h5r_type_member_name(type, index, text, status)
    integer(c_int64_t), intent(in) :: type
    integer, intent(in) :: index
    character(:), allocatable, intent(out) :: text
    integer, intent(out), optional :: status
    character(kind=c_char), allocatable, target :: buffer(:)
    integer(c_size_t) :: length
    integer :: i
    integer(c_int32_t) :: code
    length = 0
    code = c_type_member_name(type, int(index - 1, c_int64_t), c_null_ptr, 0_c_size_t, length)
    allocate (buffer(length + 1))
    if (code == H5R_OK) code = c_type_member_name(type, int(index - 1, c_int64_t), c_loc(buffer), length + 1, length)
    text = ''
    if (code == H5R_OK) then
      text = repeat(' ', int(length))
      do i = 1, int(length)
        text(i:i) = buffer(i)
      end do
    end if
    call finish(code, status)
  end subroutine

  subroutine h5r_type_copy(type, copy, status)
    integer(c_int64_t), intent(in) :: type
    integer(c_int64_t), intent(out) :: copy
    integer, intent(out), optional :: status
    copy = 0
    call finish(c_type_copy(type, copy), status)
  end subroutine

  subroutine h5r_type_integer(layout, type, status)
    type(h5r_type_layout), intent(in), target :: layout
    integer(c_int64_t), intent(out) :: type
    integer, intent(out), optional :: status
    type = 0
    call finish(c_type_integer(c_loc(layout), type), status)
  end subroutine

  subroutine h5r_type_float(layout, type, status)
    type(h5r_type_layout), intent(in), target :: layout
    integer(c_int64_t), intent(out) :: type
    integer, intent(out), optional :: status
    type = 0
    call finish(c_type_float(c_loc(layout), type), status)
  end subroutine

  subroutine h5r_type_bitfield(layout, type, status)
    type(h5r_type_layout), intent(in), target :: layout
    integer(c_int64_t), intent(out) :: type
    integer, intent(out), optional :: status
    type = 0
    call finish(c_type_bitfield(c_loc(layout), type), status)
  end subroutine

  subroutine h5r_type_get_layout(type, layout, status)
    integer(c_int64_t), intent(in) :: type
    type(h5r_type_layout), intent(out), target :: layout
    integer, intent(out), optional :: status
    call finish(c_type_get_layout(type, c_loc(layout)), status)
  end subroutine

  subroutine h5r_type_complex(part, type, status)
    integer(c_int64_t), intent(in) :: part
    integer(c_int64_t), intent(out) :: type
    integer, intent(out), optional :: status
    type = 0
    call finish(c_type_complex(part, type), status)
  end subroutine

  ! Complex numbers of two `part`s, H5R_F32 or H5R_F64, as logical and complex values are stored: a compound of r and i.
  subroutine h5r_type_complex_pair(part, type, status)
    integer(c_int64_t), intent(in) :: part
    integer(c_int64_t), intent(out) :: type
    integer, intent(out), optional :: status
    integer(c_size_t) :: bytes
    integer(c_int32_t) :: code
    type = 0
    bytes = 0
    code = c_type_size(part, bytes)
    if (code == H5R_OK) code = c_type_compound(2 * bytes, type)
    if (code == H5R_OK) code = c_type_insert(type, c_string('r'), 0_c_int64_t, part)
    if (code == H5R_OK) code = c_type_insert(type, c_string('i'), int(bytes, c_int64_t), part)
    call finish(code, status)
  end subroutine

  ! An enumeration of FALSE, 0, and TRUE, 1, in a byte.
  subroutine h5r_type_logical(type, status)
    integer(c_int64_t), intent(out) :: type
    integer, intent(out), optional :: status
    integer(int8), target :: values(0:1)
    integer(c_int32_t) :: code
    values = [0_int8, 1_int8]
    type = 0
    code = c_type_enum(H5R_I8, type)
    if (code == H5R_OK) code = c_type_enum_insert(type, c_string('FALSE'), c_loc(values(0)))
    if (code == H5R_OK) code = c_type_enum_insert(type, c_string('TRUE'), c_loc(values(1)))
    call finish(code, status)
  end subroutine

  ! The type in memory of values of `type`, or for what an AS_... stands for, made for elements that are `stored` (0: that are
  ! written with it); release closes it.
  function memory_type(type, stored, memory) result(code)
    integer(c_int64_t), intent(in) :: type, stored
    integer(c_int64_t), intent(out) :: memory
    integer(c_int32_t) :: code, class
    integer(c_int64_t) :: part
    integer :: status
    memory = type
    code = H5R_OK
    if (type > 0) return
    class = -1
    if (stored /= 0) code = c_type_class(stored, class)
    if (code /= H5R_OK) return
    part = merge(H5R_F32, H5R_F64, type == AS_COMPLEX_32)
    if (type == AS_LOGICAL .and. class == H5R_CLASS_INTEGER) then
      memory = H5R_I8
      return
    else if (type == AS_LOGICAL) then
      call h5r_type_logical(memory, status)
    else if (class == H5R_CLASS_COMPLEX .or. class == H5R_CLASS_COMPOUND .and. .not. is_pair(stored)) then
      call h5r_type_complex(part, memory, status)
    else
      call h5r_type_complex_pair(part, memory, status)
    end if
    code = int(status, c_int32_t)
  end function

  ! Whether a compound is of r and i. Others are matched by their members' names, too, and nothing of them would be moved.
  logical function is_pair(compound)
    integer(c_int64_t), intent(in) :: compound
    integer(c_int64_t) :: number
    number = 0
    is_pair = c_type_member_count(compound, number) == H5R_OK .and. number == 2
    if (is_pair) is_pair = c_type_member_index(compound, c_string('r'), number) == H5R_OK
    if (is_pair) is_pair = c_type_member_index(compound, c_string('i'), number) == H5R_OK
  end function

  subroutine h5r_type_vlen(base, type, status)
    integer(c_int64_t), intent(in) :: base
    integer(c_int64_t), intent(out) :: type
    integer, intent(out), optional :: status
    type = 0
    call finish(c_type_vlen(base, type), status)
  end subroutine

  subroutine h5r_type_enum(base, type, status)
    integer(c_int64_t), intent(in) :: base
    integer(c_int64_t), intent(out) :: type
    integer, intent(out), optional :: status
    type = 0
    call finish(c_type_enum(base, type), status)
  end subroutine

  subroutine h5r_type_time(bits, order, type, status)
    integer, intent(in) :: bits, order
    integer(c_int64_t), intent(out) :: type
    integer, intent(out), optional :: status
    type = 0
    call finish(c_type_time(int(bits, c_int32_t), int(order, c_int32_t), type), status)
  end subroutine

  ! Strings of variable length; in UTF-8 where nothing else is said.
  subroutine h5r_type_string_variable(type, padding, charset, status)
    integer(c_int64_t), intent(out) :: type
    integer, intent(in), optional :: padding, charset
    integer, intent(out), optional :: status
    integer(c_int32_t) :: how_padded, which_charset
    how_padded = H5R_PAD_NULL_TERMINATED
    which_charset = H5R_CHARSET_UTF8
    if (present(padding)) how_padded = int(padding, c_int32_t)
    if (present(charset)) which_charset = int(charset, c_int32_t)
    type = 0
    call finish(c_type_string_variable(how_padded, which_charset, type), status)
  end subroutine

  subroutine h5r_type_opaque(size, tag, type, status)
    integer, intent(in) :: size
    character(*), intent(in) :: tag
    integer(c_int64_t), intent(out) :: type
    integer, intent(out), optional :: status
    type = 0
    call finish(c_type_opaque(int(size, c_size_t), c_string(tag), type), status)
  end subroutine

  ! Dimensions are in Fortran's order.
  subroutine h5r_type_array(base, dims, type, status)
    integer(c_int64_t), intent(in) :: base
    integer, intent(in) :: dims(:)
    integer(c_int64_t), intent(out) :: type
    integer, intent(out), optional :: status
    type = 0
    call finish(c_type_array(base, size(dims, kind=c_size_t), reversed(int(dims, c_int64_t)), type), status)
  end subroutine

  ! H5R_REF_...
  subroutine h5r_type_reference(kind, type, status)
    integer, intent(in) :: kind
    integer(c_int64_t), intent(out) :: type
    integer, intent(out), optional :: status
    type = 0
    call finish(c_type_reference(int(kind, c_int32_t), type), status)
  end subroutine

  ! c_sizeof gives the size, and c_loc differences the offsets.
  subroutine h5r_type_compound(size, type, status)
    integer(c_size_t), intent(in) :: size
    integer(c_int64_t), intent(out) :: type
    integer, intent(out), optional :: status
    type = 0
    call finish(c_type_compound(size, type), status)
  end subroutine

  subroutine h5r_type_insert(compound, name, offset, member, status)
    integer(c_int64_t), intent(in) :: compound, member
    character(*), intent(in) :: name
    integer(c_size_t), intent(in) :: offset
    integer, intent(out), optional :: status
    call finish(c_type_insert(compound, c_string(name), int(offset, c_int64_t), member), status)
  end subroutine

  ! value is the address of one element of the base.
  subroutine h5r_type_enum_insert(enumeration, name, value, status)
    integer(c_int64_t), intent(in) :: enumeration
    character(*), intent(in) :: name
    type(c_ptr), intent(in) :: value
    integer, intent(out), optional :: status
    call finish(c_type_enum_insert(enumeration, c_string(name), value), status)
  end subroutine

  subroutine h5r_type_enum_value(enumeration, index, value, status)
    integer(c_int64_t), intent(in) :: enumeration
    integer, intent(in) :: index
    type(c_ptr), intent(in) :: value
    integer, intent(out), optional :: status
    call finish(c_type_enum_value(enumeration, int(index - 1, c_int64_t), value), status)
  end subroutine

  subroutine h5r_type_string_info(type, padding, charset, variable, status)
    integer(c_int64_t), intent(in) :: type
    integer, intent(out) :: padding, charset
    logical, intent(out) :: variable
    integer, intent(out), optional :: status
    integer(c_int32_t) :: how_padded, which_charset
    logical(c_bool) :: is_variable
    how_padded = -1
    which_charset = -1
    is_variable = .false.
    call finish(c_type_string_info(type, how_padded, which_charset, is_variable), status)
    padding = int(how_padded)
    charset = int(which_charset)
    variable = is_variable
  end subroutine

  subroutine h5r_type_is_variable(type, answer, status)
    integer(c_int64_t), intent(in) :: type
    logical, intent(out) :: answer
    integer, intent(out), optional :: status
    logical(c_bool) :: is
    is = .false.
    call finish(c_type_is_variable(type, is), status)
    answer = is
  end subroutine

  subroutine h5r_type_is_committed(type, answer, status)
    integer(c_int64_t), intent(in) :: type
    logical, intent(out) :: answer
    integer, intent(out), optional :: status
    logical(c_bool) :: is
    is = .false.
    call finish(c_type_is_committed(type, is), status)
    answer = is
  end subroutine

  subroutine h5r_type_member_count(type, count, status)
    integer(c_int64_t), intent(in) :: type
    integer, intent(out) :: count
    integer, intent(out), optional :: status
    integer(c_int64_t) :: number
    number = 0
    call finish(c_type_member_count(type, number), status)
    count = int(number)
  end subroutine

  subroutine h5r_type_member_index(type, name, index, status)
    integer(c_int64_t), intent(in) :: type
    character(*), intent(in) :: name
    integer, intent(out) :: index
    integer, intent(out), optional :: status
    integer(c_int64_t) :: number
    number = -1
    call finish(c_type_member_index(type, c_string(name), number), status)
    index = int(number) + 1
  end subroutine

  subroutine h5r_type_member(compound, index, offset, type, status)
    integer(c_int64_t), intent(in) :: compound
    integer, intent(in) :: index
    integer(c_size_t), intent(out) :: offset
    integer(c_int64_t), intent(out) :: type
    integer, intent(out), optional :: status
    integer(c_int64_t) :: begin
    begin = 0
    type = 0
    call finish(c_type_member(compound, int(index - 1, c_int64_t), begin, type), status)
    offset = int(begin, c_size_t)
  end subroutine

  subroutine h5r_type_base(type, base, status)
    integer(c_int64_t), intent(in) :: type
    integer(c_int64_t), intent(out) :: base
    integer, intent(out), optional :: status
    base = 0
    call finish(c_type_base(type, base), status)
  end subroutine

  subroutine h5r_type_dims(type, dims, status)
    integer(c_int64_t), intent(in) :: type
    integer(c_int64_t), allocatable, intent(out) :: dims(:)
    integer, intent(out), optional :: status
    integer(c_int64_t) :: extents(H5R_MAX_RANK)
    integer(c_size_t) :: rank
    integer(c_int32_t) :: code
    rank = 0
    code = c_type_dims(type, rank, extents)
    dims = reversed(extents(:rank))
    call finish(code, status)
  end subroutine

  subroutine h5r_type_reference_kind(type, kind, status)
    integer(c_int64_t), intent(in) :: type
    integer, intent(out) :: kind
    integer, intent(out), optional :: status
    integer(c_int32_t) :: number
    number = -1
    call finish(c_type_reference_kind(type, number), status)
    kind = int(number)
  end subroutine

  ! Stores the type as a named datatype.
  subroutine h5r_type_commit(loc, path, type, object, status)
    type(h5r_object), intent(in) :: loc
    character(*), intent(in) :: path
    integer(c_int64_t), intent(in) :: type
    type(h5r_object), intent(out) :: object
    integer, intent(out), optional :: status
    call finish(c_type_commit(loc%handle, c_string(path), type, object%handle), status)
  end subroutine

  subroutine h5r_object_type(object, type, status)
    type(h5r_object), intent(in) :: object
    integer(c_int64_t), intent(out) :: type
    integer, intent(out), optional :: status
    type = 0
    call finish(c_object_type(object%handle, type), status)
  end subroutine

  subroutine h5r_attr_type(object, name, type, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(c_int64_t), intent(out) :: type
    integer, intent(out), optional :: status
    type = 0
    call finish(c_attr_type(object%handle, c_string(name), type), status)
  end subroutine

  ! Elements of any type, from the address of the first one.
  subroutine h5r_attr_write_as(object, name, type, dims, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(c_int64_t), intent(in) :: type
    integer, intent(in) :: dims(:)
    type(c_ptr), intent(in) :: value
    integer, intent(out), optional :: status
    call finish(c_attr_write(object%handle, c_string(name), type, size(dims, kind=c_size_t), &
      reversed(int(dims, c_int64_t)), value), status)
  end subroutine

  subroutine h5r_attr_read_as(object, name, type, value, capacity, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(c_int64_t), intent(in) :: type
    type(c_ptr), intent(in) :: value
    integer(c_size_t), intent(in) :: capacity
    integer, intent(out), optional :: status
    call finish(c_attr_read(object%handle, c_string(name), type, value, capacity), status)
  end subroutine

  subroutine h5r_dataset_write_as(dataset, type, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(c_int64_t), intent(in) :: type
    type(c_ptr), intent(in) :: value
    integer, intent(out), optional :: status
    call finish(c_dataset_write(dataset%handle, type, c_null_ptr, value), status)
  end subroutine

  subroutine h5r_dataset_read_as(dataset, type, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(c_int64_t), intent(in) :: type
    type(c_ptr), intent(in) :: value
    integer, intent(out), optional :: status
    call finish(c_dataset_read(dataset%handle, type, c_null_ptr, value), status)
  end subroutine

  subroutine dataset_set_extent_int32(dataset, dims, status)
    type(h5r_object), intent(in) :: dataset
    integer(int32), intent(in) :: dims(:)
    integer, intent(out), optional :: status
    call dataset_set_extent_int64(dataset, int(dims, int64), status)
  end subroutine

  ! Changes the extents of a chunked dataset, in Fortran's order.
  subroutine dataset_set_extent_int64(dataset, dims, status)
    type(h5r_object), intent(in) :: dataset
    integer(int64), intent(in) :: dims(:)
    integer, intent(out), optional :: status
    call finish(c_dataset_set_extent(dataset%handle, reversed(dims)), status)
  end subroutine

  ! Appends `rows` rows of elements of any type at value along the last dimension in Fortran's order.
  subroutine dataset_append_as(dataset, type, rows, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(c_int64_t), intent(in) :: type
    integer, intent(in) :: rows
    type(c_ptr), intent(in) :: value
    integer, intent(out), optional :: status
    call finish(c_dataset_append(dataset%handle, type, int(rows, c_int64_t), value), status)
  end subroutine

  ! Elements at points(:, i), whose coordinates count from 1 in Fortran's order.
  subroutine h5r_dataset_read_points(dataset, type, points, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(c_int64_t), intent(in) :: type
    integer, intent(in) :: points(:, :)
    type(c_ptr), intent(in) :: value
    integer, intent(out), optional :: status
    integer(c_int64_t), target :: places(size(points, 1), size(points, 2))
    places = int(points(size(points, 1):1:-1, :), c_int64_t) - 1
    call finish(c_dataset_read_points(dataset%handle, type, size(points, 2, kind=c_size_t), places, value), status)
  end subroutine

  subroutine h5r_dataset_write_points(dataset, type, points, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(c_int64_t), intent(in) :: type
    integer, intent(in) :: points(:, :)
    type(c_ptr), intent(in) :: value
    integer, intent(out), optional :: status
    integer(c_int64_t), target :: places(size(points, 1), size(points, 2))
    places = int(points(size(points, 1):1:-1, :), c_int64_t) - 1
    call finish(c_dataset_write_points(dataset%handle, type, size(points, 2, kind=c_size_t), places, value), status)
  end subroutine

  ! A regular part of an array, in Fortran's order: indexes count from 1. What is left out is the obvious: from the first
  ! element, blocks of one element, side by side, as many as fit.
  function h5r_part(start, count, stride, block) result(part)
    integer, intent(in), optional :: start(:), count(:), stride(:), block(:)
    type(h5r_selection) :: part
    if (present(start)) call put_numbers(part, 1, int(start, c_int64_t) - 1)
    if (present(stride)) call put_numbers(part, 2, int(stride, c_int64_t))
    if (present(count)) call put_numbers(part, 3, int(count, c_int64_t))
    if (present(block)) call put_numbers(part, 4, int(block, c_int64_t))
  end function

  ! Numbers of another rank than those before make a part that begins beyond everything.
  subroutine put_numbers(part, which, values)
    type(h5r_selection), intent(inout) :: part
    integer, intent(in) :: which
    integer(c_int64_t), intent(in) :: values(:)
    if (part%rank == 0) part%rank = min(size(values), H5R_MAX_RANK)
    if (size(values) /= part%rank .or. .not. part%fits) then
      part%fits = .false.
      part%given = [.true., .false., .true., .false.]
      part%numbers(:, 1) = huge(0_c_int64_t)
      part%numbers(:, 3) = 1
      return
    end if
    part%given(which) = .true.
    part%numbers(:part%rank, which) = reversed(values)
  end subroutine

  ! As C has it; it points to the numbers of the part.
  function plain_part(part) result(made)
    type(h5r_selection), intent(in), target :: part
    type(c_selection) :: made
    made%rank = int(part%rank, c_size_t)
    if (part%given(1)) made%start = c_loc(part%numbers(1, 1))
    if (part%given(2)) made%stride = c_loc(part%numbers(1, 2))
    if (part%given(3)) made%count = c_loc(part%numbers(1, 3))
    if (part%given(4)) made%block = c_loc(part%numbers(1, 4))
  end function

  ! Elements of several parts, those of one after those of the other, at value.
  subroutine h5r_dataset_read_list(dataset, type, parts, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(c_int64_t), intent(in) :: type
    type(h5r_selection), intent(in), target :: parts(:)
    type(c_ptr), intent(in) :: value
    integer, intent(out), optional :: status
    type(c_selection), target :: made(size(parts) + 1)
    integer :: i
    do i = 1, size(parts)
      made(i) = plain_part(parts(i))
    end do
    call finish(c_dataset_read_list(dataset%handle, type, size(parts, kind=c_size_t), c_loc(made), value), status)
  end subroutine

  subroutine h5r_dataset_write_list(dataset, type, parts, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(c_int64_t), intent(in) :: type
    type(h5r_selection), intent(in), target :: parts(:)
    type(c_ptr), intent(in) :: value
    integer, intent(out), optional :: status
    type(c_selection), target :: made(size(parts) + 1)
    integer :: i
    do i = 1, size(parts)
      made(i) = plain_part(parts(i))
    end do
    call finish(c_dataset_write_list(dataset%handle, type, size(parts, kind=c_size_t), c_loc(made), value), status)
  end subroutine

  ! Elements of a part of the dataset to the part `within` of an array in memory of extents dims, whose first element is at value.
  subroutine h5r_dataset_read_into(dataset, type, part, dims, within, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(c_int64_t), intent(in) :: type
    type(h5r_selection), intent(in), target :: part, within
    integer, intent(in) :: dims(:)
    type(c_ptr), intent(in) :: value
    integer, intent(out), optional :: status
    type(c_selection), target :: from, to
    from = plain_part(part)
    to = plain_part(within)
    call finish(c_dataset_read_into(dataset%handle, type, c_loc(from), size(dims, kind=c_size_t), &
      reversed(int(dims, c_int64_t)), c_loc(to), value), status)
  end subroutine

  subroutine h5r_dataset_write_from(dataset, type, part, dims, within, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(c_int64_t), intent(in) :: type
    type(h5r_selection), intent(in), target :: part, within
    integer, intent(in) :: dims(:)
    type(c_ptr), intent(in) :: value
    integer, intent(out), optional :: status
    type(c_selection), target :: from, to
    to = plain_part(part)
    from = plain_part(within)
    call finish(c_dataset_write_from(dataset%handle, type, c_loc(to), size(dims, kind=c_size_t), &
      reversed(int(dims, c_int64_t)), c_loc(from), value), status)
  end subroutine

  ! The figures of the cache of decoded chunks, and how many bytes it may take.
  subroutine h5r_chunk_cache_info(dataset, details, status)
    type(h5r_object), intent(in) :: dataset
    type(h5r_chunk_cache_details), intent(out), target :: details
    integer, intent(out), optional :: status
    call finish(c_chunk_cache_info(dataset%handle, c_loc(details)), status)
  end subroutine

  subroutine h5r_chunk_cache_set(dataset, bytes, status)
    type(h5r_object), intent(in) :: dataset
    integer(c_int64_t), intent(in) :: bytes
    integer, intent(out), optional :: status
    call finish(c_chunk_cache_set(dataset%handle, bytes), status)
  end subroutine

  ! Has `progress`, the c_funloc of an h5r_transfer_callback or c_null_funptr, told how far long calls with raw data are.
  subroutine h5r_set_progress(file, progress, user_data, status)
    type(h5r_file), intent(in) :: file
    type(c_funptr), intent(in) :: progress
    type(c_ptr), intent(in), optional :: user_data
    integer, intent(out), optional :: status
    type(c_ptr) :: given
    given = c_null_ptr
    if (present(user_data)) given = user_data
    call finish(c_set_progress(file%handle, progress, given), status)
  end subroutine

  ! Bytes and filter mask of the stored chunk whose first element is at offset, which counts from 1 in Fortran's order.
  subroutine h5r_chunk_info(dataset, offset, size, filter_mask, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in) :: offset(:)
    integer(c_size_t), intent(out) :: size
    integer(c_int32_t), intent(out), optional :: filter_mask
    integer, intent(out), optional :: status
    integer(c_int32_t), target :: mask
    size = 0
    mask = 0
    call finish(c_chunk_read(dataset%handle, reversed(int(offset, c_int64_t)) - 1, c_null_ptr, 0_c_size_t, size, &
      c_loc(mask)), status)
    if (present(filter_mask)) filter_mask = mask
  end subroutine

  ! The stored chunk as the file has it, and as the filters would have made it.
  subroutine h5r_chunk_read(dataset, offset, bytes, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in) :: offset(:)
    integer(int8), intent(inout), target, contiguous :: bytes(:)
    integer, intent(out), optional :: status
    integer(c_size_t) :: length
    length = 0
    call finish(c_chunk_read(dataset%handle, reversed(int(offset, c_int64_t)) - 1, c_loc(bytes), &
      size(bytes, kind=c_size_t), length, c_null_ptr), status)
  end subroutine

  subroutine h5r_chunk_write(dataset, offset, bytes, filter_mask, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in) :: offset(:)
    integer(int8), intent(in), target, contiguous :: bytes(:)
    integer(c_int32_t), intent(in), optional :: filter_mask
    integer, intent(out), optional :: status
    integer(c_int32_t) :: mask
    mask = 0
    if (present(filter_mask)) mask = filter_mask
    call finish(c_chunk_write(dataset%handle, reversed(int(offset, c_int64_t)) - 1, mask, c_loc(bytes), &
      size(bytes, kind=c_size_t)), status)
  end subroutine

  ! Calls visit for each stored chunk, in the order of the dataset's index.
  subroutine h5r_chunk_iterate(dataset, visit, status)
    type(h5r_object), intent(in) :: dataset
    procedure(h5r_chunk_visit) :: visit
    integer, intent(out), optional :: status
    type(chunk_visitor), target :: context
    context%call => visit
    call finish(c_chunk_iterate(dataset%handle, c_funloc(visit_chunk), c_loc(context)), status)
  end subroutine

  function visit_chunk(chunk, user_data) result(answer) bind(C)
    type(chunk_details), intent(in) :: chunk
    type(c_ptr), value :: user_data
    integer(c_int32_t) :: answer
    type(chunk_visitor), pointer :: context
    call c_f_pointer(user_data, context)
    answer = int(context%call(reversed(chunk%offset(:chunk%rank)) + 1, chunk%size, int(chunk%filter_mask)), c_int32_t)
  end function

  subroutine h5r_type_close(type, status)
    integer(c_int64_t), intent(inout) :: type
    integer, intent(out), optional :: status
    integer(c_int32_t) :: code
    code = c_type_close(type)
    type = 0
    call finish(code, status)
  end subroutine

  ! An attribute that has a type but no value.
  subroutine h5r_attr_write_null(object, name, type, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(c_int64_t), intent(in) :: type
    integer, intent(out), optional :: status
    call finish(c_attr_write_null(object%handle, c_string(name), type), status)
  end subroutine

  subroutine h5r_attr_info(object, name, info, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    type(h5r_info), intent(out) :: info
    integer, intent(out), optional :: status
    type(attr_details), target :: details
    integer(c_int32_t) :: code
    code = c_attr_info(object%handle, c_string(name), c_loc(details))
    if (code == H5R_OK) then
      info%type = details%type
      info%space = details%space
      info%storage_size = details%storage_size
    end if
    info%dims = reversed(details%dims(:details%rank))
    call finish(code, status)
  end subroutine

  subroutine h5r_attr_delete(object, name, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer, intent(out), optional :: status
    call finish(c_attr_delete(object%handle, c_string(name)), status)
  end subroutine

  subroutine h5r_attr_rename(object, from, to, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: from, to
    integer, intent(out), optional :: status
    call finish(c_attr_rename(object%handle, c_string(from), c_string(to)), status)
  end subroutine

  subroutine h5r_attr_exists(object, name, exists, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    logical, intent(out) :: exists
    integer, intent(out), optional :: status
    logical(c_bool) :: found
    found = .false.
    call finish(c_attr_exists(object%handle, c_string(name), found), status)
    exists = logical(found)
  end subroutine

  subroutine h5r_attr_count(object, count, status)
    type(h5r_object), intent(in) :: object
    integer(int64), intent(out) :: count
    integer, intent(out), optional :: status
    count = 0
    call finish(c_attr_count(object%handle, count), status)
  end subroutine

  ! Calls visit(name) for each attribute, in the order H5R_ORDER_... .
  subroutine h5r_attr_iterate(object, order, visit, status)
    type(h5r_object), intent(in) :: object
    integer, intent(in) :: order
    procedure(h5r_visit) :: visit
    integer, intent(out), optional :: status
    type(visitor), target :: context
    context%call => visit
    call finish(c_attr_iterate(object%handle, int(order, c_int32_t), c_funloc(visit_name), c_loc(context)), status)
  end subroutine

  function visit_name(name, user_data) result(answer) bind(C)
    type(c_ptr), value :: name, user_data
    integer(c_int32_t) :: answer
    type(visitor), pointer :: context
    call c_f_pointer(user_data, context)
    answer = int(context%call(h5r_text(name)), c_int32_t)
  end function

  subroutine h5r_link_delete(loc, path, status)
    type(h5r_object), intent(in) :: loc
    character(*), intent(in) :: path
    integer, intent(out), optional :: status
    call finish(c_link_delete(loc%handle, c_string(path)), status)
  end subroutine

  subroutine h5r_link_exists(loc, path, exists, status)
    type(h5r_object), intent(in) :: loc
    character(*), intent(in) :: path
    logical, intent(out) :: exists
    integer, intent(out), optional :: status
    logical(c_bool) :: found
    found = .false.
    call finish(c_link_exists(loc%handle, c_string(path), found), status)
    exists = logical(found)
  end subroutine

  subroutine h5r_link_move(loc, from, to_loc, to, status)
    type(h5r_object), intent(in) :: loc, to_loc
    character(*), intent(in) :: from, to
    integer, intent(out), optional :: status
    call finish(c_link_move(loc%handle, c_string(from), to_loc%handle, c_string(to)), status)
  end subroutine

  ! Copies the object at `from` to `to` below `to_loc`, a group of the same file or of another one.
  subroutine h5r_object_copy(from_loc, from, to_loc, to, options, status)
    type(h5r_object), intent(in) :: from_loc, to_loc
    character(*), intent(in) :: from, to
    type(h5r_copy_options), intent(in), optional, target :: options
    integer, intent(out), optional :: status
    type(c_ptr) :: given
    given = c_null_ptr
    if (present(options)) given = c_loc(options)
    call finish(c_object_copy(from_loc%handle, c_string(from), to_loc%handle, c_string(to), given), status)
  end subroutine

  subroutine h5r_link_create_soft(loc, path, target, status)
    type(h5r_object), intent(in) :: loc
    character(*), intent(in) :: path, target
    integer, intent(out), optional :: status
    call finish(c_link_create_soft(loc%handle, c_string(path), c_string(target)), status)
  end subroutine

  subroutine h5r_link_create_hard(loc, path, object, status)
    type(h5r_object), intent(in) :: loc, object
    character(*), intent(in) :: path
    integer, intent(out), optional :: status
    call finish(c_link_create_hard(loc%handle, c_string(path), object%handle), status)
  end subroutine

  subroutine h5r_link_create_external(loc, path, file, target, status)
    type(h5r_object), intent(in) :: loc
    character(*), intent(in) :: path, file, target
    integer, intent(out), optional :: status
    call finish(c_link_create_external(loc%handle, c_string(path), c_string(file), c_string(target)), status)
  end subroutine

  ! A link of the program's own: `user_type`, 65 to 255, and bytes that mean something to their maker only.
  subroutine h5r_link_create_user(loc, path, user_type, bytes, status)
    type(h5r_object), intent(in) :: loc
    character(*), intent(in) :: path
    integer, intent(in) :: user_type
    integer(int8), intent(in), contiguous, target :: bytes(:)
    integer, intent(out), optional :: status
    call finish(c_link_create_user(loc%handle, c_string(path), int(user_type, c_int32_t), c_loc(bytes), &
      size(bytes, kind=c_size_t)), status)
  end subroutine

  ! What the link says, as h5r_link_value in h5r.h.
  subroutine h5r_link_value(loc, path, bytes, status)
    type(h5r_object), intent(in) :: loc
    character(*), intent(in) :: path
    integer(int8), allocatable, target, intent(out) :: bytes(:)
    integer, intent(out), optional :: status
    integer(c_size_t) :: length
    integer(c_int32_t) :: code
    length = 0
    code = c_link_value(loc%handle, c_string(path), c_null_ptr, 0_c_size_t, length)
    allocate (bytes(length))
    if (code == H5R_OK .and. length > 0) code = c_link_value(loc%handle, c_string(path), c_loc(bytes), length, length)
    call finish(code, status)
  end subroutine

  ! The path that a soft link leads to.
  subroutine h5r_link_target(loc, path, target, status)
    type(h5r_object), intent(in) :: loc
    character(*), intent(in) :: path
    character(:), allocatable, intent(out) :: target
    integer, intent(out), optional :: status
    character(kind=c_char), allocatable, target :: buffer(:)
    integer(c_size_t) :: length
    integer(c_int32_t) :: code
    length = 0
    code = c_link_target(loc%handle, c_string(path), c_null_ptr, 0_c_size_t, length)
    allocate (buffer(length + 1))
    buffer = c_null_char
    if (code == H5R_OK) code = c_link_target(loc%handle, c_string(path), c_loc(buffer), length + 1, length)
    target = h5r_text(c_loc(buffer))
    call finish(code, status)
  end subroutine

  subroutine h5r_link_info(loc, path, info, status)
    type(h5r_object), intent(in) :: loc
    character(*), intent(in) :: path
    type(h5r_link_details), intent(out), target :: info
    integer, intent(out), optional :: status
    call finish(c_link_info(loc%handle, c_string(path), c_loc(info)), status)
  end subroutine

  subroutine h5r_link_count(group, count, status)
    type(h5r_object), intent(in) :: group
    integer(int64), intent(out) :: count
    integer, intent(out), optional :: status
    count = 0
    call finish(c_link_count(group%handle, count), status)
  end subroutine

  ! Calls visit(name) for each link, in the order H5R_ORDER_... .
  subroutine h5r_link_iterate(group, order, visit, status)
    type(h5r_object), intent(in) :: group
    integer, intent(in) :: order
    procedure(h5r_visit) :: visit
    integer, intent(out), optional :: status
    type(visitor), target :: context
    context%call => visit
    call finish(c_link_iterate(group%handle, int(order, c_int32_t), c_funloc(visit_name), c_loc(context)), status)
  end subroutine

  subroutine h5r_set_none(file, status)
    type(h5r_file), intent(in) :: file
    integer, intent(out), optional :: status
    call finish(c_set_none(file%handle), status)
  end subroutine

  subroutine h5r_set_lazy(file, options, status)
    type(h5r_file), intent(in) :: file
    type(h5r_lazy_options), intent(in), optional :: options
    integer, intent(out), optional :: status
    type(h5r_lazy_options), target :: given
    if (present(options)) given = options
    call finish(c_set_lazy(file%handle, c_loc(given)), status)
  end subroutine

  subroutine h5r_set_incremental(file, options, status)
    type(h5r_file), intent(in) :: file
    type(h5r_incremental_options), intent(in), optional :: options
    integer, intent(out), optional :: status
    type(h5r_incremental_options), target :: given
    if (present(options)) given = options
    call finish(c_set_incremental(file%handle, c_loc(given)), status)
  end subroutine

  subroutine h5r_set_smart(file, options, status)
    type(h5r_file), intent(in) :: file
    type(h5r_smart_options), intent(in), optional :: options
    integer, intent(out), optional :: status
    type(h5r_smart_options), target :: given
    if (present(options)) given = options
    call finish(c_set_smart(file%handle, c_loc(given)), status)
  end subroutine

  subroutine h5r_rebalance(file, status)
    type(h5r_file), intent(in) :: file
    integer, intent(out), optional :: status
    call finish(c_rebalance(file%handle), status)
  end subroutine

  subroutine h5r_rebalance_status(file, stats, status)
    type(h5r_file), intent(in) :: file
    type(h5r_rebalance_stats), intent(out), target :: stats
    integer, intent(out), optional :: status
    call finish(c_rebalance_status(file%handle, c_loc(stats)), status)
  end subroutine

  ! What the specific procedures below have in common.
  subroutine put_attr(object, name, type, dims, data, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(c_int64_t), intent(in) :: type, dims(:)
    type(c_ptr), intent(in) :: data
    integer, intent(out), optional :: status
    integer(c_int64_t) :: memory
    integer(c_int32_t) :: code
    code = memory_type(type, 0_c_int64_t, memory)
    if (code == H5R_OK) then
      code = c_attr_write(object%handle, c_string(name), memory, size(dims, kind=c_size_t), reversed(dims), data)
    end if
    if (type < 0) call drop(memory, code)
    call finish(code, status)
  end subroutine

  subroutine get_attr(object, name, type, dims, data, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(c_int64_t), intent(in) :: type, dims(:)
    type(c_ptr), intent(in) :: data
    integer, intent(out), optional :: status
    integer(c_int64_t) :: stored, memory
    integer(c_size_t) :: bytes
    integer(c_int32_t) :: code
    memory = 0
    bytes = 0
    code = attr_fits(object, name, dims, stored)
    if (code == H5R_OK) code = memory_type(type, stored, memory)
    if (code == H5R_OK) code = c_type_size(memory, bytes)
    if (code == H5R_OK) code = c_attr_read(object%handle, c_string(name), memory, data, bytes * product(dims))
    if (type < 0) call drop(memory, code)
    call drop(stored, code)
    call finish(code, status)
  end subroutine

  ! Whether a value of shape `dims` takes an attribute whole, which is what a read does; and the attribute's type.
  function attr_fits(object, name, dims, stored) result(code)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(c_int64_t), intent(in) :: dims(:)
    integer(c_int64_t), intent(out) :: stored
    type(attr_details), target :: details
    integer(c_int64_t) :: elements
    integer(c_int32_t) :: code
    character(:), allocatable :: what
    logical :: fits
    code = c_attr_info(object%handle, c_string(name), c_loc(details))
    stored = details%type
    if (code /= H5R_OK) return
    associate (held => reversed(details%dims(:details%rank)))
      what = 'of shape '//text_of(held)
      elements = product(held)
      if (details%space == H5R_SPACE_NULL) then
        what = 'without a value'
        elements = 0
      end if
      fits = elements == product(dims)
      if (size(dims) == size(held) .and. size(dims) > 0) fits = all(dims == held)
    end associate
    if (.not. fits) code = c_set_last_error(merge(H5R_ERR_TOO_SMALL, H5R_ERR_ARGUMENT, product(dims) < elements), &
      c_string("reading attribute '"//trim(name)//"': it is "//what//', and the value to read of shape '//text_of(dims)))
  end function

  ! A shape in words: [2, 3].
  function text_of(dims) result(text)
    integer(c_int64_t), intent(in) :: dims(:)
    character(:), allocatable :: text
    character(20) :: number
    integer :: i
    text = '['
    do i = 1, size(dims)
      write (number, '(i0)') dims(i)
      if (i > 1) text = text//', '
      text = text//trim(number)
    end do
    text = text//']'
  end function

  ! Writes or reads `dims` elements from `start` (1, the first, where it is absent), `stride` apart; where `start` has more
  ! dimensions than the value, one element in each of the last ones. The library refuses what is of another rank or beyond
  ! the dataset.
  subroutine transfer_dataset(is_read, dataset, type, dims, data, start, stride, status)
    logical, intent(in) :: is_read
    type(h5r_object), intent(in) :: dataset
    integer(c_int64_t), intent(in) :: type, dims(:)
    type(c_ptr), intent(in) :: data
    integer, intent(in), optional :: start(:), stride(:)
    integer, intent(out), optional :: status
    type(c_selection), target :: selection
    integer(c_int64_t), target :: first(H5R_MAX_RANK), step(H5R_MAX_RANK), count(H5R_MAX_RANK)
    integer(c_int64_t) :: memory, elements, extents(H5R_MAX_RANK)
    integer(c_size_t) :: held
    integer(c_int32_t) :: code
    integer :: rank
    logical :: fits
    first = 0
    step = 1
    count = 1
    rank = size(dims)
    if (present(start)) rank = size(start)
    fits = rank >= size(dims) .and. rank <= H5R_MAX_RANK
    if (present(stride)) fits = fits .and. size(stride) == rank
    if (fits) then
      count(rank - size(dims) + 1:rank) = reversed(dims)
      if (present(start)) first(:rank) = reversed(int(start, c_int64_t)) - 1
      if (present(stride)) step(:rank) = reversed(int(stride, c_int64_t))
    else
      rank = another_rank(dataset, size(dims), start, stride)
    end if
    selection%rank = int(rank, c_size_t)
    selection%start = c_loc(first)
    selection%stride = c_loc(step)
    selection%count = c_loc(count)
    code = dataset_memory_type(dataset, type, memory)
    ! Of a dataset without a value the library moves nothing, whatever is selected.
    held = 0
    elements = 0
    if (code == H5R_OK) code = c_dataset_dims(dataset%handle, held, extents, elements)
    if (code == H5R_OK .and. product(dims) > 0) then
      if (held == 0 .and. elements == 0) code = c_set_last_error(H5R_ERR_ARGUMENT, &
        c_string('the dataset is without a value, and the one to move of shape '//text_of(dims)))
    end if
    if (code == H5R_OK .and. is_read) then
      code = c_dataset_read(dataset%handle, memory, c_loc(selection), data)
    else if (code == H5R_OK) then
      code = c_dataset_write(dataset%handle, memory, c_loc(selection), data)
    end if
    if (type < 0) call drop(memory, code)
    call finish(code, status)
  end subroutine

  ! memory_type for the elements of a dataset.
  function dataset_memory_type(dataset, type, memory) result(code)
    type(h5r_object), intent(in) :: dataset
    integer(c_int64_t), intent(in) :: type
    integer(c_int64_t), intent(out) :: memory
    integer(c_int64_t) :: stored
    integer(c_int32_t) :: code
    memory = type
    stored = 0
    code = H5R_OK
    if (type > 0) return
    code = c_object_type(dataset%handle, stored)
    if (code == H5R_OK) code = memory_type(type, stored, memory)
    call drop(stored, code)
  end function

  ! Of the sizes of a value, its start and its stride, which do not agree, one that is not the dataset's rank: the library
  ! refuses it.
  integer function another_rank(dataset, dims, start, stride)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in) :: dims
    integer, intent(in), optional :: start(:), stride(:)
    integer(c_int64_t) :: elements, extents(H5R_MAX_RANK)
    integer(c_size_t) :: rank
    integer(c_int32_t) :: ignored
    rank = 0
    elements = 0
    another_rank = dims
    ignored = c_dataset_dims(dataset%handle, rank, extents, elements)
    if (another_rank == rank .and. present(start)) another_rank = min(size(start), H5R_MAX_RANK)
    if (another_rank == rank .and. present(stride)) another_rank = min(size(stride), H5R_MAX_RANK)
  end function

  ! Appends `value`, of shape dims: rows of the dataset, or one row if it has a dimension less.
  subroutine append_values(dataset, type, dims, data, status)
    type(h5r_object), intent(in) :: dataset
    integer(c_int64_t), intent(in) :: type, dims(:)
    type(c_ptr), intent(in) :: data
    integer, intent(out), optional :: status
    integer(c_int64_t) :: rows, elements, memory, extents(H5R_MAX_RANK)
    integer(c_size_t) :: rank
    integer(c_int32_t) :: code
    integer :: across
    logical :: fits
    rank = 0
    elements = 0
    code = c_dataset_dims(dataset%handle, rank, extents, elements)
    if (code == H5R_OK) then
      across = int(rank) - 1
      rows = 1
      fits = across >= 0 .and. (size(dims) == across .or. size(dims) == across + 1)
      if (fits) fits = all(dims(:across) == reversed(extents(2:across + 1)))
      if (.not. fits) then
        call refuse('appending a value of shape '//text_of(dims)//' to a dataset of shape '//text_of(reversed(extents(:rank))) &
          //': only whole rows can be appended', status)
        return
      end if
      if (size(dims) > across) rows = dims(across + 1)
      code = dataset_memory_type(dataset, type, memory)
      if (code == H5R_OK) code = c_dataset_append(dataset%handle, memory, rows, data)
      if (type < 0) call drop(memory, code)
    end if
    call finish(code, status)
  end subroutine

  ! A string is written with its length, padded with blanks, as UTF-8.
  subroutine attr_write_character(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    character(*), intent(in), target :: value
    integer, intent(out), optional :: status
    if (len(value) == 0) then
      call put_strings(object, name, 1, [integer(c_int64_t) ::], ' ', status)
    else
      call put_strings(object, name, len(value), [integer(c_int64_t) ::], value, status)
    end if
  end subroutine

  subroutine attr_write_character_1(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    character(*), intent(in), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call put_strings(object, name, len(value), shape(value, kind=c_int64_t), value, status)
  end subroutine

  ! Strings of fixed length go to elements of fixed length; h5r_dataset_write_variable writes those of variable length.
  subroutine dataset_write_character(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    character(*), intent(in), target :: value
    integer, intent(out), optional :: status
    call transfer_strings(.false., dataset, len(value), [integer(c_int64_t) ::], value, status=status)
  end subroutine

  subroutine dataset_write_character_1(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    character(*), intent(in), contiguous, target :: value(:)
    integer, intent(in), optional :: start(:), stride(:)
    integer, intent(out), optional :: status
    call transfer_strings(.false., dataset, len(value), shape(value, kind=c_int64_t), value, &
      start=start, stride=stride, status=status)
  end subroutine

  subroutine put_strings(object, name, length, dims, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer, intent(in) :: length
    integer(c_int64_t), intent(in) :: dims(:)
    character(kind=c_char), intent(in), target :: value(*)
    integer, intent(out), optional :: status
    integer(c_int64_t) :: type
    integer(c_int32_t) :: code
    type = 0
    code = c_type_string(int(length, c_size_t), H5R_PAD_SPACE, H5R_CHARSET_UTF8, type)
    if (code == H5R_OK) then
      code = c_attr_write(object%handle, c_string(name), type, size(dims, kind=c_size_t), reversed(dims), c_loc(value))
      call drop(type, code)
    end if
    call finish(code, status)
  end subroutine

  ! A string is read padded with blanks, and cut where `value` is too short; in the file it may be of variable length.
  subroutine attr_read_character(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    character(*), intent(out), target :: value
    integer, intent(out), optional :: status
    call transfer_strings(.true., object, len(value), [integer(c_int64_t) ::], value, name=name, status=status)
  end subroutine

  subroutine attr_read_character_1(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    character(*), intent(out), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call transfer_strings(.true., object, len(value), shape(value, kind=c_int64_t), value, name=name, status=status)
  end subroutine

  subroutine dataset_read_character(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    character(*), intent(inout), target :: value
    integer, intent(out), optional :: status
    call transfer_strings(.true., dataset, len(value), [integer(c_int64_t) ::], value, status=status)
  end subroutine

  subroutine dataset_read_character_1(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    character(*), intent(inout), contiguous, target :: value(:)
    integer, intent(in), optional :: start(:), stride(:)
    integer, intent(out), optional :: status
    call transfer_strings(.true., dataset, len(value), shape(value, kind=c_int64_t), value, &
      start=start, stride=stride, status=status)
  end subroutine

  ! Reads an attribute's strings, or, without its name, reads or writes those of a dataset.
  subroutine transfer_strings(is_read, object, length, dims, value, name, start, stride, status)
    logical, intent(in) :: is_read
    type(h5r_object), intent(in) :: object
    integer, intent(in) :: length
    integer(c_int64_t), intent(in) :: dims(:)
    character(kind=c_char), target :: value(*)
    character(*), intent(in), optional :: name
    integer, intent(in), optional :: start(:), stride(:)
    integer, intent(out), optional :: status
    type(c_ptr), allocatable, target :: pointers(:)
    integer(c_int64_t) :: type, count
    integer(c_int32_t) :: code, ignored, charset
    type = 0
    count = product(dims)
    charset = H5R_CHARSET_UTF8
    ! ASCII goes to strings of either character set, UTF-8 to its own only.
    if (.not. is_read) then
      if (all(iachar(value(:count*length)) < 128)) charset = H5R_CHARSET_ASCII
    end if
    code = H5R_OK
    if (present(name)) then
      code = attr_fits(object, name, dims, type)
      call drop(type, code)
    end if
    if (code == H5R_OK) code = c_type_string(int(length, c_size_t), H5R_PAD_SPACE, charset, type)
    if (code == H5R_OK) then
      code = moved_to(c_loc(value), int(length, c_size_t))
      call drop(type, code)
    end if
    if (code == H5R_ERR_TYPE .and. is_read) then
      ! In the file they are of variable length, or no strings at all.
      allocate (pointers(count + 1))
      pointers = c_null_ptr
      code = c_type_string_variable(H5R_PAD_NULL_TERMINATED, H5R_CHARSET_UTF8, type)
      if (code == H5R_OK) code = moved_to(c_loc(pointers), c_sizeof(c_null_ptr))
      if (code == H5R_OK) then
        call fill(value, length, pointers(:count))
        ignored = c_vlen_release(type, count, c_loc(pointers))
      end if
      call drop(type, code)
    end if
    call finish(code, status)
  contains
    integer(c_int32_t) function moved_to(data, bytes)
      type(c_ptr), intent(in) :: data
      integer(c_size_t), intent(in) :: bytes
      integer :: returned
      if (present(name)) then
        moved_to = c_attr_read(object%handle, c_string(name), type, data, bytes*count)
      else
        call transfer_dataset(is_read, object, type, dims, data, start, stride, returned)
        moved_to = int(returned, c_int32_t)
      end if
    end function
  end subroutine

  ! Fills strings of `length` from C's, which are cut or padded with blanks.
  subroutine fill(value, length, pointers)
    integer, intent(in) :: length
    type(c_ptr), intent(in) :: pointers(:)
    character(kind=c_char), intent(inout) :: value(length, size(pointers))
    character(:), allocatable :: text
    integer :: i, j
    do i = 1, size(pointers)
      text = h5r_text(pointers(i))
      value(:, i) = ' '
      do j = 1, min(length, len(text))
        value(j, i) = text(j:j)
      end do
    end do
  end subroutine

  ! Gives back what h5r_dataset_read_as or h5r_attr_read_as stored behind the pointers in `count` elements of `type`.
  subroutine h5r_vlen_release(type, count, value, status)
    integer(c_int64_t), intent(in) :: type, count
    type(c_ptr), intent(in) :: value
    integer, intent(out), optional :: status
    call finish(c_vlen_release(type, count, value), status)
  end subroutine

  subroutine attr_write_characters(object, name, values, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    character(*), intent(in) :: values(:)
    integer, intent(out), optional :: status
    call put_strings_variable(object, trimmed(values), name=name, status=status)
  end subroutine

  subroutine attr_write_strings(object, name, values, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    type(h5r_string), intent(in) :: values(:)
    integer, intent(out), optional :: status
    call put_strings_variable(object, values, name=name, status=status)
  end subroutine

  ! Elements from `start` on, 1 where it is absent.
  subroutine dataset_write_characters(dataset, values, start, status)
    type(h5r_object), intent(in) :: dataset
    character(*), intent(in) :: values(:)
    integer, intent(in), optional :: start
    integer, intent(out), optional :: status
    call put_strings_variable(dataset, trimmed(values), start=start, status=status)
  end subroutine

  subroutine dataset_write_strings(dataset, values, start, status)
    type(h5r_object), intent(in) :: dataset
    type(h5r_string), intent(in) :: values(:)
    integer, intent(in), optional :: start
    integer, intent(out), optional :: status
    call put_strings_variable(dataset, values, start=start, status=status)
  end subroutine

  function trimmed(values) result(strings)
    character(*), intent(in) :: values(:)
    type(h5r_string) :: strings(size(values))
    integer :: i
    do i = 1, size(values)
      strings(i)%value = trim(values(i))
    end do
  end function

  subroutine put_strings_variable(object, values, name, start, status)
    type(h5r_object), intent(in) :: object
    type(h5r_string), intent(in) :: values(:)
    character(*), intent(in), optional :: name
    integer, intent(in), optional :: start
    integer, intent(out), optional :: status
    character(kind=c_char), allocatable, target :: bytes(:)
    type(c_ptr), allocatable, target :: pointers(:)
    integer(c_int64_t) :: type
    integer(c_int32_t) :: code, charset
    integer :: i, j, length, at
    length = 1
    do i = 1, size(values)
      if (.not. allocated(values(i)%value)) cycle
      length = length + len(values(i)%value) + 1
      if (index(values(i)%value, c_null_char) == 0) cycle
      call refuse('a string of variable length cannot have a NUL inside', status)
      return
    end do
    allocate (bytes(length), pointers(size(values) + 1))
    bytes = c_null_char
    at = 1
    do i = 1, size(values)
      pointers(i) = c_loc(bytes(length))
      if (.not. allocated(values(i)%value)) cycle
      pointers(i) = c_loc(bytes(at))
      do j = 1, len(values(i)%value)
        bytes(at + j - 1) = values(i)%value(j:j)
      end do
      at = at + len(values(i)%value) + 1
    end do
    type = 0
    charset = H5R_CHARSET_UTF8
    ! ASCII goes to the strings of a dataset in either character set, UTF-8 to its own only.
    if (.not. present(name) .and. all(iachar(bytes) < 128)) charset = H5R_CHARSET_ASCII
    code = c_type_string_variable(H5R_PAD_NULL_TERMINATED, charset, type)
    if (code == H5R_OK) then
      code = moved(.false., object, type, size(values, kind=c_int64_t), c_loc(pointers), name, start)
      call drop(type, code)
    end if
    call finish(code, status)
  end subroutine

  subroutine attr_read_strings(object, name, values, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    type(h5r_string), allocatable, intent(out) :: values(:)
    integer, intent(out), optional :: status
    call get_strings_variable(object, values, name=name, status=status)
  end subroutine

  ! `count` elements from `start` on; all that follow where it is absent.
  subroutine dataset_read_strings(dataset, values, start, count, status)
    type(h5r_object), intent(in) :: dataset
    type(h5r_string), allocatable, intent(out) :: values(:)
    integer, intent(in), optional :: start, count
    integer, intent(out), optional :: status
    call get_strings_variable(dataset, values, start=start, wanted=count, status=status)
  end subroutine

  ! Strings of fixed length lose trailing blanks.
  subroutine get_strings_variable(object, values, name, start, wanted, status)
    type(h5r_object), intent(in) :: object
    type(h5r_string), allocatable, intent(out) :: values(:)
    character(*), intent(in), optional :: name
    integer, intent(in), optional :: start, wanted
    integer, intent(out), optional :: status
    type(c_ptr), allocatable, target :: pointers(:)
    character(kind=c_char), allocatable, target :: bytes(:)
    type(c_ptr) :: data
    integer(c_int64_t) :: type, count, i
    integer(c_size_t) :: length
    integer(c_int32_t) :: code, ignored
    logical :: is_variable
    call measure(object, count, length, is_variable, code, name, start, wanted)
    type = 0
    if (code == H5R_OK .and. is_variable) then
      allocate (pointers(count + 1))
      code = c_type_string_variable(H5R_PAD_NULL_TERMINATED, H5R_CHARSET_UTF8, type)
      if (code == H5R_OK) code = moved(.true., object, type, count, c_loc(pointers), name, start)
      if (code == H5R_OK) then
        allocate (values(count))
        do i = 1, count
          values(i)%value = h5r_text(pointers(i))
        end do
        ignored = c_vlen_release(type, count, c_loc(pointers))
      end if
    else if (code == H5R_OK) then
      ! With a byte for the NUL that ends each.
      allocate (bytes((count + 1)*(length + 1)))
      code = c_type_string(length + 1, H5R_PAD_NULL_TERMINATED, H5R_CHARSET_UTF8, type)
      data = c_loc(bytes)
      if (code == H5R_OK) code = moved(.true., object, type, count, data, name, start)
      if (code == H5R_OK) then
        allocate (values(count))
        do i = 1, count
          values(i)%value = trim(h5r_text(c_loc(bytes((i - 1)*(length + 1) + 1))))
        end do
      end if
    end if
    call drop(type, code)
    call finish(code, status)
  end subroutine

  ! How many elements are to be read, and what their type is like in the file.
  subroutine measure(object, count, bytes, is_variable, code, name, start, wanted)
    type(h5r_object), intent(in) :: object
    integer(c_int64_t), intent(out) :: count
    integer(c_size_t), intent(out) :: bytes
    logical, intent(out) :: is_variable
    integer(c_int32_t), intent(out) :: code
    character(*), intent(in), optional :: name
    integer, intent(in), optional :: start, wanted
    type(h5r_info) :: info
    integer :: status
    integer(c_int32_t) :: ignored
    logical(c_bool) :: varies
    count = 0
    bytes = 0
    varies = .false.
    if (present(name)) then
      call h5r_attr_info(object, name, info, status)
    else
      call h5r_dataset_info(object, info, status)
    end if
    code = int(status, c_int32_t)
    if (code == H5R_OK) then
      if (info%space /= H5R_SPACE_NULL) count = product(info%dims)
      if (present(start)) count = max(count - start + 1, 0_c_int64_t)
      if (present(wanted)) count = wanted
      code = c_type_size(info%type, bytes)
      if (code == H5R_OK) code = c_type_is_variable(info%type, varies)
      if (code == H5R_OK) ignored = c_type_close(info%type)
    end if
    is_variable = varies
  end subroutine

  ! Writes or reads `count` elements of an attribute, or, without its name, of a dataset of one dimension.
  function moved(is_read, object, type, count, data, name, start) result(code)
    logical, intent(in) :: is_read
    type(h5r_object), intent(in) :: object
    integer(c_int64_t), intent(in) :: type, count
    type(c_ptr), intent(in) :: data
    character(*), intent(in), optional :: name
    integer, intent(in), optional :: start
    integer(c_int32_t) :: code
    integer(c_size_t) :: bytes
    integer :: first, status
    if (.not. present(name)) then
      first = 1
      if (present(start)) first = start
      call transfer_dataset(is_read, object, type, [count], data, [first], status=status)
      code = int(status, c_int32_t)
    else if (is_read) then
      bytes = 0
      code = c_type_size(type, bytes)
      if (code == H5R_OK) code = c_attr_read(object%handle, c_string(name), type, data, count*bytes)
    else
      code = c_attr_write(object%handle, c_string(name), type, 1_c_size_t, [count], data)
    end if
  end function

  subroutine put_sequences(object, base, count, elements, name, start, status)
    type(h5r_object), intent(in) :: object
    integer(c_int64_t), intent(in) :: base, count
    type(h5r_vlen), intent(in), target :: elements(:)
    character(*), intent(in), optional :: name
    integer, intent(in), optional :: start
    integer, intent(out), optional :: status
    integer(c_int64_t) :: type
    integer(c_int32_t) :: code
    type = 0
    code = c_type_vlen(base, type)
    if (code == H5R_OK) then
      code = moved(.false., object, type, count, c_loc(elements), name, start)
      call drop(type, code)
    end if
    call finish(code, status)
  end subroutine

  subroutine get_sequences(object, base, elements, type, count, code, name, start, wanted)
    type(h5r_object), intent(in) :: object
    integer(c_int64_t), intent(in) :: base
    type(h5r_vlen), allocatable, intent(out), target :: elements(:)
    integer(c_int64_t), intent(out) :: type, count
    integer(c_int32_t), intent(out) :: code
    character(*), intent(in), optional :: name
    integer, intent(in), optional :: start, wanted
    integer(c_size_t) :: bytes
    logical :: is_variable
    type = 0
    call measure(object, count, bytes, is_variable, code, name, start, wanted)
    if (code /= H5R_OK) return
    allocate (elements(count + 1))
    code = c_type_vlen(base, type)
    if (code == H5R_OK) code = moved(.true., object, type, count, c_loc(elements), name, start)
    if (code /= H5R_OK) call drop(type, code)
  end subroutine

  subroutine attr_write_int64_sequences(object, name, values, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    type(h5r_int64_sequence), intent(in), target :: values(:)
    integer, intent(out), optional :: status
    type(h5r_vlen), allocatable, target :: elements(:)
    allocate (elements(size(values) + 1))
    elements(:) = int64_elements(values)
    call put_sequences(object, H5R_I64, size(values, kind=c_int64_t), elements, name=name, status=status)
  end subroutine

  subroutine dataset_write_int64_sequences(dataset, values, start, status)
    type(h5r_object), intent(in) :: dataset
    type(h5r_int64_sequence), intent(in), target :: values(:)
    integer, intent(in), optional :: start
    integer, intent(out), optional :: status
    type(h5r_vlen), allocatable, target :: elements(:)
    allocate (elements(size(values) + 1))
    elements(:) = int64_elements(values)
    call put_sequences(dataset, H5R_I64, size(values, kind=c_int64_t), elements, start=start, status=status)
  end subroutine

  ! With one more, so that there is one.
  function int64_elements(values) result(elements)
    type(h5r_int64_sequence), intent(in), target :: values(:)
    type(h5r_vlen) :: elements(size(values) + 1)
    integer :: i
    do i = 1, size(values)
      if (.not. allocated(values(i)%values)) cycle
      elements(i)%length = size(values(i)%values, kind=c_size_t)
      if (elements(i)%length > 0) elements(i)%data = c_loc(values(i)%values)
    end do
  end function

  subroutine attr_read_int64_sequences(object, name, values, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    type(h5r_int64_sequence), allocatable, intent(out) :: values(:)
    integer, intent(out), optional :: status
    type(h5r_vlen), allocatable, target :: elements(:)
    integer(c_int64_t) :: type, count
    integer(c_int32_t) :: code
    call get_sequences(object, H5R_I64, elements, type, count, code, name=name)
    if (code == H5R_OK) call int64_values(type, count, elements, values)
    call finish(code, status)
  end subroutine

  subroutine dataset_read_int64_sequences(dataset, values, start, count, status)
    type(h5r_object), intent(in) :: dataset
    type(h5r_int64_sequence), allocatable, intent(out) :: values(:)
    integer, intent(in), optional :: start, count
    integer, intent(out), optional :: status
    type(h5r_vlen), allocatable, target :: elements(:)
    integer(c_int64_t) :: type, found
    integer(c_int32_t) :: code
    call get_sequences(dataset, H5R_I64, elements, type, found, code, start=start, wanted=count)
    if (code == H5R_OK) call int64_values(type, found, elements, values)
    call finish(code, status)
  end subroutine

  subroutine int64_values(type, count, elements, values)
    integer(c_int64_t), intent(in) :: type, count
    type(h5r_vlen), intent(inout), target :: elements(:)
    type(h5r_int64_sequence), allocatable, intent(out) :: values(:)
    integer(int64), pointer :: items(:)
    integer(c_int64_t) :: i
    integer(c_int32_t) :: ignored
    allocate (values(count))
    do i = 1, count
      allocate (values(i)%values(elements(i)%length))
      if (elements(i)%length == 0) cycle
      call c_f_pointer(elements(i)%data, items, [elements(i)%length])
      values(i)%values = items
    end do
    ignored = c_vlen_release(type, count, c_loc(elements))
    ignored = c_type_close(type)
  end subroutine

  subroutine attr_write_real64_sequences(object, name, values, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    type(h5r_real64_sequence), intent(in), target :: values(:)
    integer, intent(out), optional :: status
    type(h5r_vlen), allocatable, target :: elements(:)
    allocate (elements(size(values) + 1))
    elements(:) = real64_elements(values)
    call put_sequences(object, H5R_F64, size(values, kind=c_int64_t), elements, name=name, status=status)
  end subroutine

  subroutine dataset_write_real64_sequences(dataset, values, start, status)
    type(h5r_object), intent(in) :: dataset
    type(h5r_real64_sequence), intent(in), target :: values(:)
    integer, intent(in), optional :: start
    integer, intent(out), optional :: status
    type(h5r_vlen), allocatable, target :: elements(:)
    allocate (elements(size(values) + 1))
    elements(:) = real64_elements(values)
    call put_sequences(dataset, H5R_F64, size(values, kind=c_int64_t), elements, start=start, status=status)
  end subroutine

  ! With one more, so that there is one.
  function real64_elements(values) result(elements)
    type(h5r_real64_sequence), intent(in), target :: values(:)
    type(h5r_vlen) :: elements(size(values) + 1)
    integer :: i
    do i = 1, size(values)
      if (.not. allocated(values(i)%values)) cycle
      elements(i)%length = size(values(i)%values, kind=c_size_t)
      if (elements(i)%length > 0) elements(i)%data = c_loc(values(i)%values)
    end do
  end function

  subroutine attr_read_real64_sequences(object, name, values, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    type(h5r_real64_sequence), allocatable, intent(out) :: values(:)
    integer, intent(out), optional :: status
    type(h5r_vlen), allocatable, target :: elements(:)
    integer(c_int64_t) :: type, count
    integer(c_int32_t) :: code
    call get_sequences(object, H5R_F64, elements, type, count, code, name=name)
    if (code == H5R_OK) call real64_values(type, count, elements, values)
    call finish(code, status)
  end subroutine

  subroutine dataset_read_real64_sequences(dataset, values, start, count, status)
    type(h5r_object), intent(in) :: dataset
    type(h5r_real64_sequence), allocatable, intent(out) :: values(:)
    integer, intent(in), optional :: start, count
    integer, intent(out), optional :: status
    type(h5r_vlen), allocatable, target :: elements(:)
    integer(c_int64_t) :: type, found
    integer(c_int32_t) :: code
    call get_sequences(dataset, H5R_F64, elements, type, found, code, start=start, wanted=count)
    if (code == H5R_OK) call real64_values(type, found, elements, values)
    call finish(code, status)
  end subroutine

  subroutine real64_values(type, count, elements, values)
    integer(c_int64_t), intent(in) :: type, count
    type(h5r_vlen), intent(inout), target :: elements(:)
    type(h5r_real64_sequence), allocatable, intent(out) :: values(:)
    real(real64), pointer :: items(:)
    integer(c_int64_t) :: i
    integer(c_int32_t) :: ignored
    allocate (values(count))
    do i = 1, count
      allocate (values(i)%values(elements(i)%length))
      if (elements(i)%length == 0) cycle
      call c_f_pointer(elements(i)%data, items, [elements(i)%length])
      values(i)%values = items
    end do
    ignored = c_vlen_release(type, count, c_loc(elements))
    ignored = c_type_close(type)
  end subroutine

! begin procedures
  subroutine attr_write_int8_0(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int8), intent(in), target :: value
    integer, intent(out), optional :: status
    call put_attr(object, name, H5R_I8, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_int8_0(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int8), intent(in), target :: value
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_I8, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_int8_0(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(int8), intent(in), target :: value
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_I8, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_int8_1(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int8), intent(in), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call put_attr(object, name, H5R_I8, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_int8_1(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int8), intent(in), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_I8, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_int8_1(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(int8), intent(in), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_I8, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_int8_2(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int8), intent(in), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call put_attr(object, name, H5R_I8, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_int8_2(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int8), intent(in), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_I8, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_int8_2(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(int8), intent(in), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_I8, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_int8_3(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int8), intent(in), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call put_attr(object, name, H5R_I8, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_int8_3(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int8), intent(in), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_I8, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_int8_3(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(int8), intent(in), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_I8, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_int8_4(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int8), intent(in), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call put_attr(object, name, H5R_I8, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_int8_4(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int8), intent(in), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_I8, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_int8_4(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(int8), intent(in), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_I8, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_int8_5(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int8), intent(in), contiguous, target :: value(:, :, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_I8, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_int8_5(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(int8), intent(in), contiguous, target :: value(:, :, :, :, :)
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_I8, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_read_int8_0(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int8), intent(inout), target :: value
    integer, intent(out), optional :: status
    call get_attr(object, name, H5R_I8, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_int8_0(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int8), intent(inout), target :: value
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_I8, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_int8_1(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int8), intent(inout), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call get_attr(object, name, H5R_I8, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_int8_1(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int8), intent(inout), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_I8, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_int8_2(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int8), intent(inout), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call get_attr(object, name, H5R_I8, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_int8_2(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int8), intent(inout), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_I8, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_int8_3(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int8), intent(inout), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call get_attr(object, name, H5R_I8, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_int8_3(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int8), intent(inout), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_I8, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_int8_4(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int8), intent(inout), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call get_attr(object, name, H5R_I8, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_int8_4(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int8), intent(inout), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_I8, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_read_int8_5(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int8), intent(inout), contiguous, target :: value(:, :, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_I8, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_write_int16_0(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int16), intent(in), target :: value
    integer, intent(out), optional :: status
    call put_attr(object, name, H5R_I16, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_int16_0(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int16), intent(in), target :: value
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_I16, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_int16_0(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(int16), intent(in), target :: value
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_I16, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_int16_1(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int16), intent(in), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call put_attr(object, name, H5R_I16, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_int16_1(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int16), intent(in), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_I16, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_int16_1(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(int16), intent(in), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_I16, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_int16_2(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int16), intent(in), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call put_attr(object, name, H5R_I16, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_int16_2(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int16), intent(in), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_I16, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_int16_2(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(int16), intent(in), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_I16, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_int16_3(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int16), intent(in), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call put_attr(object, name, H5R_I16, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_int16_3(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int16), intent(in), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_I16, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_int16_3(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(int16), intent(in), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_I16, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_int16_4(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int16), intent(in), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call put_attr(object, name, H5R_I16, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_int16_4(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int16), intent(in), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_I16, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_int16_4(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(int16), intent(in), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_I16, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_int16_5(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int16), intent(in), contiguous, target :: value(:, :, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_I16, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_int16_5(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(int16), intent(in), contiguous, target :: value(:, :, :, :, :)
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_I16, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_read_int16_0(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int16), intent(inout), target :: value
    integer, intent(out), optional :: status
    call get_attr(object, name, H5R_I16, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_int16_0(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int16), intent(inout), target :: value
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_I16, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_int16_1(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int16), intent(inout), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call get_attr(object, name, H5R_I16, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_int16_1(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int16), intent(inout), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_I16, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_int16_2(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int16), intent(inout), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call get_attr(object, name, H5R_I16, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_int16_2(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int16), intent(inout), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_I16, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_int16_3(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int16), intent(inout), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call get_attr(object, name, H5R_I16, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_int16_3(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int16), intent(inout), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_I16, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_int16_4(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int16), intent(inout), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call get_attr(object, name, H5R_I16, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_int16_4(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int16), intent(inout), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_I16, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_read_int16_5(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int16), intent(inout), contiguous, target :: value(:, :, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_I16, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_write_int32_0(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int32), intent(in), target :: value
    integer, intent(out), optional :: status
    call put_attr(object, name, H5R_I32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_int32_0(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int32), intent(in), target :: value
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_I32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_int32_0(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(int32), intent(in), target :: value
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_I32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_int32_1(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int32), intent(in), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call put_attr(object, name, H5R_I32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_int32_1(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int32), intent(in), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_I32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_int32_1(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(int32), intent(in), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_I32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_int32_2(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int32), intent(in), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call put_attr(object, name, H5R_I32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_int32_2(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int32), intent(in), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_I32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_int32_2(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(int32), intent(in), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_I32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_int32_3(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int32), intent(in), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call put_attr(object, name, H5R_I32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_int32_3(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int32), intent(in), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_I32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_int32_3(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(int32), intent(in), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_I32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_int32_4(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int32), intent(in), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call put_attr(object, name, H5R_I32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_int32_4(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int32), intent(in), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_I32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_int32_4(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(int32), intent(in), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_I32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_int32_5(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int32), intent(in), contiguous, target :: value(:, :, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_I32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_int32_5(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(int32), intent(in), contiguous, target :: value(:, :, :, :, :)
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_I32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_read_int32_0(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int32), intent(inout), target :: value
    integer, intent(out), optional :: status
    call get_attr(object, name, H5R_I32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_int32_0(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int32), intent(inout), target :: value
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_I32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_int32_1(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int32), intent(inout), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call get_attr(object, name, H5R_I32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_int32_1(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int32), intent(inout), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_I32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_int32_2(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int32), intent(inout), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call get_attr(object, name, H5R_I32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_int32_2(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int32), intent(inout), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_I32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_int32_3(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int32), intent(inout), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call get_attr(object, name, H5R_I32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_int32_3(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int32), intent(inout), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_I32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_int32_4(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int32), intent(inout), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call get_attr(object, name, H5R_I32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_int32_4(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int32), intent(inout), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_I32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_read_int32_5(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int32), intent(inout), contiguous, target :: value(:, :, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_I32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_write_int64_0(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int64), intent(in), target :: value
    integer, intent(out), optional :: status
    call put_attr(object, name, H5R_I64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_int64_0(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int64), intent(in), target :: value
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_I64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_int64_0(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(int64), intent(in), target :: value
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_I64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_int64_1(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int64), intent(in), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call put_attr(object, name, H5R_I64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_int64_1(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int64), intent(in), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_I64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_int64_1(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(int64), intent(in), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_I64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_int64_2(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int64), intent(in), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call put_attr(object, name, H5R_I64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_int64_2(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int64), intent(in), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_I64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_int64_2(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(int64), intent(in), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_I64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_int64_3(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int64), intent(in), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call put_attr(object, name, H5R_I64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_int64_3(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int64), intent(in), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_I64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_int64_3(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(int64), intent(in), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_I64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_int64_4(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int64), intent(in), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call put_attr(object, name, H5R_I64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_int64_4(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int64), intent(in), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_I64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_int64_4(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(int64), intent(in), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_I64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_int64_5(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int64), intent(in), contiguous, target :: value(:, :, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_I64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_int64_5(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    integer(int64), intent(in), contiguous, target :: value(:, :, :, :, :)
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_I64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_read_int64_0(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int64), intent(inout), target :: value
    integer, intent(out), optional :: status
    call get_attr(object, name, H5R_I64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_int64_0(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int64), intent(inout), target :: value
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_I64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_int64_1(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int64), intent(inout), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call get_attr(object, name, H5R_I64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_int64_1(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int64), intent(inout), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_I64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_int64_2(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int64), intent(inout), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call get_attr(object, name, H5R_I64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_int64_2(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int64), intent(inout), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_I64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_int64_3(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int64), intent(inout), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call get_attr(object, name, H5R_I64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_int64_3(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int64), intent(inout), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_I64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_int64_4(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    integer(int64), intent(inout), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call get_attr(object, name, H5R_I64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_int64_4(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int64), intent(inout), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_I64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_read_int64_5(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    integer(int64), intent(inout), contiguous, target :: value(:, :, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_I64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_write_real32_0(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    real(real32), intent(in), target :: value
    integer, intent(out), optional :: status
    call put_attr(object, name, H5R_F32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_real32_0(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    real(real32), intent(in), target :: value
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_F32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_real32_0(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    real(real32), intent(in), target :: value
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_F32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_real32_1(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    real(real32), intent(in), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call put_attr(object, name, H5R_F32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_real32_1(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    real(real32), intent(in), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_F32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_real32_1(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    real(real32), intent(in), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_F32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_real32_2(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    real(real32), intent(in), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call put_attr(object, name, H5R_F32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_real32_2(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    real(real32), intent(in), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_F32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_real32_2(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    real(real32), intent(in), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_F32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_real32_3(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    real(real32), intent(in), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call put_attr(object, name, H5R_F32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_real32_3(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    real(real32), intent(in), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_F32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_real32_3(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    real(real32), intent(in), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_F32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_real32_4(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    real(real32), intent(in), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call put_attr(object, name, H5R_F32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_real32_4(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    real(real32), intent(in), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_F32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_real32_4(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    real(real32), intent(in), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_F32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_real32_5(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    real(real32), intent(in), contiguous, target :: value(:, :, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_F32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_real32_5(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    real(real32), intent(in), contiguous, target :: value(:, :, :, :, :)
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_F32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_read_real32_0(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    real(real32), intent(inout), target :: value
    integer, intent(out), optional :: status
    call get_attr(object, name, H5R_F32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_real32_0(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    real(real32), intent(inout), target :: value
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_F32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_real32_1(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    real(real32), intent(inout), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call get_attr(object, name, H5R_F32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_real32_1(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    real(real32), intent(inout), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_F32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_real32_2(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    real(real32), intent(inout), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call get_attr(object, name, H5R_F32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_real32_2(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    real(real32), intent(inout), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_F32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_real32_3(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    real(real32), intent(inout), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call get_attr(object, name, H5R_F32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_real32_3(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    real(real32), intent(inout), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_F32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_real32_4(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    real(real32), intent(inout), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call get_attr(object, name, H5R_F32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_real32_4(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    real(real32), intent(inout), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_F32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_read_real32_5(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    real(real32), intent(inout), contiguous, target :: value(:, :, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_F32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_write_real64_0(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    real(real64), intent(in), target :: value
    integer, intent(out), optional :: status
    call put_attr(object, name, H5R_F64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_real64_0(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    real(real64), intent(in), target :: value
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_F64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_real64_0(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    real(real64), intent(in), target :: value
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_F64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_real64_1(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    real(real64), intent(in), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call put_attr(object, name, H5R_F64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_real64_1(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    real(real64), intent(in), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_F64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_real64_1(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    real(real64), intent(in), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_F64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_real64_2(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    real(real64), intent(in), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call put_attr(object, name, H5R_F64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_real64_2(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    real(real64), intent(in), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_F64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_real64_2(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    real(real64), intent(in), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_F64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_real64_3(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    real(real64), intent(in), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call put_attr(object, name, H5R_F64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_real64_3(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    real(real64), intent(in), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_F64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_real64_3(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    real(real64), intent(in), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_F64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_real64_4(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    real(real64), intent(in), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call put_attr(object, name, H5R_F64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_real64_4(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    real(real64), intent(in), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_F64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_real64_4(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    real(real64), intent(in), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_F64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_real64_5(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    real(real64), intent(in), contiguous, target :: value(:, :, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, H5R_F64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_real64_5(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    real(real64), intent(in), contiguous, target :: value(:, :, :, :, :)
    integer, intent(out), optional :: status
    call append_values(dataset, H5R_F64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_read_real64_0(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    real(real64), intent(inout), target :: value
    integer, intent(out), optional :: status
    call get_attr(object, name, H5R_F64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_real64_0(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    real(real64), intent(inout), target :: value
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_F64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_real64_1(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    real(real64), intent(inout), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call get_attr(object, name, H5R_F64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_real64_1(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    real(real64), intent(inout), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_F64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_real64_2(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    real(real64), intent(inout), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call get_attr(object, name, H5R_F64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_real64_2(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    real(real64), intent(inout), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_F64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_real64_3(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    real(real64), intent(inout), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call get_attr(object, name, H5R_F64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_real64_3(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    real(real64), intent(inout), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_F64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_real64_4(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    real(real64), intent(inout), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call get_attr(object, name, H5R_F64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_real64_4(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    real(real64), intent(inout), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_F64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_read_real64_5(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    real(real64), intent(inout), contiguous, target :: value(:, :, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, H5R_F64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_write_complex32_0(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    complex(real32), intent(in), target :: value
    integer, intent(out), optional :: status
    call put_attr(object, name, AS_COMPLEX_32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_complex32_0(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    complex(real32), intent(in), target :: value
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, AS_COMPLEX_32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_complex32_0(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    complex(real32), intent(in), target :: value
    integer, intent(out), optional :: status
    call append_values(dataset, AS_COMPLEX_32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_complex32_1(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    complex(real32), intent(in), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call put_attr(object, name, AS_COMPLEX_32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_complex32_1(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    complex(real32), intent(in), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, AS_COMPLEX_32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_complex32_1(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    complex(real32), intent(in), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call append_values(dataset, AS_COMPLEX_32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_complex32_2(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    complex(real32), intent(in), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call put_attr(object, name, AS_COMPLEX_32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_complex32_2(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    complex(real32), intent(in), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, AS_COMPLEX_32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_complex32_2(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    complex(real32), intent(in), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call append_values(dataset, AS_COMPLEX_32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_complex32_3(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    complex(real32), intent(in), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call put_attr(object, name, AS_COMPLEX_32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_complex32_3(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    complex(real32), intent(in), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, AS_COMPLEX_32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_complex32_3(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    complex(real32), intent(in), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call append_values(dataset, AS_COMPLEX_32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_complex32_4(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    complex(real32), intent(in), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call put_attr(object, name, AS_COMPLEX_32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_complex32_4(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    complex(real32), intent(in), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, AS_COMPLEX_32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_complex32_4(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    complex(real32), intent(in), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call append_values(dataset, AS_COMPLEX_32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_complex32_5(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    complex(real32), intent(in), contiguous, target :: value(:, :, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, AS_COMPLEX_32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_complex32_5(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    complex(real32), intent(in), contiguous, target :: value(:, :, :, :, :)
    integer, intent(out), optional :: status
    call append_values(dataset, AS_COMPLEX_32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_read_complex32_0(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    complex(real32), intent(inout), target :: value
    integer, intent(out), optional :: status
    call get_attr(object, name, AS_COMPLEX_32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_complex32_0(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    complex(real32), intent(inout), target :: value
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, AS_COMPLEX_32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_complex32_1(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    complex(real32), intent(inout), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call get_attr(object, name, AS_COMPLEX_32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_complex32_1(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    complex(real32), intent(inout), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, AS_COMPLEX_32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_complex32_2(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    complex(real32), intent(inout), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call get_attr(object, name, AS_COMPLEX_32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_complex32_2(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    complex(real32), intent(inout), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, AS_COMPLEX_32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_complex32_3(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    complex(real32), intent(inout), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call get_attr(object, name, AS_COMPLEX_32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_complex32_3(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    complex(real32), intent(inout), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, AS_COMPLEX_32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_complex32_4(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    complex(real32), intent(inout), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call get_attr(object, name, AS_COMPLEX_32, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_complex32_4(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    complex(real32), intent(inout), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, AS_COMPLEX_32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_read_complex32_5(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    complex(real32), intent(inout), contiguous, target :: value(:, :, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, AS_COMPLEX_32, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_write_complex64_0(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    complex(real64), intent(in), target :: value
    integer, intent(out), optional :: status
    call put_attr(object, name, AS_COMPLEX_64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_complex64_0(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    complex(real64), intent(in), target :: value
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, AS_COMPLEX_64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_complex64_0(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    complex(real64), intent(in), target :: value
    integer, intent(out), optional :: status
    call append_values(dataset, AS_COMPLEX_64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_complex64_1(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    complex(real64), intent(in), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call put_attr(object, name, AS_COMPLEX_64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_complex64_1(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    complex(real64), intent(in), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, AS_COMPLEX_64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_complex64_1(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    complex(real64), intent(in), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call append_values(dataset, AS_COMPLEX_64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_complex64_2(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    complex(real64), intent(in), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call put_attr(object, name, AS_COMPLEX_64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_complex64_2(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    complex(real64), intent(in), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, AS_COMPLEX_64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_complex64_2(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    complex(real64), intent(in), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call append_values(dataset, AS_COMPLEX_64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_complex64_3(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    complex(real64), intent(in), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call put_attr(object, name, AS_COMPLEX_64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_complex64_3(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    complex(real64), intent(in), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, AS_COMPLEX_64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_complex64_3(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    complex(real64), intent(in), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call append_values(dataset, AS_COMPLEX_64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_write_complex64_4(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    complex(real64), intent(in), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call put_attr(object, name, AS_COMPLEX_64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_complex64_4(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    complex(real64), intent(in), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, AS_COMPLEX_64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_complex64_4(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    complex(real64), intent(in), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call append_values(dataset, AS_COMPLEX_64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_write_complex64_5(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    complex(real64), intent(in), contiguous, target :: value(:, :, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.false., dataset, AS_COMPLEX_64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_complex64_5(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    complex(real64), intent(in), contiguous, target :: value(:, :, :, :, :)
    integer, intent(out), optional :: status
    call append_values(dataset, AS_COMPLEX_64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine attr_read_complex64_0(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    complex(real64), intent(inout), target :: value
    integer, intent(out), optional :: status
    call get_attr(object, name, AS_COMPLEX_64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_complex64_0(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    complex(real64), intent(inout), target :: value
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, AS_COMPLEX_64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_complex64_1(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    complex(real64), intent(inout), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call get_attr(object, name, AS_COMPLEX_64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_complex64_1(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    complex(real64), intent(inout), contiguous, target :: value(:)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, AS_COMPLEX_64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_complex64_2(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    complex(real64), intent(inout), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call get_attr(object, name, AS_COMPLEX_64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_complex64_2(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    complex(real64), intent(inout), contiguous, target :: value(:, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, AS_COMPLEX_64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_complex64_3(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    complex(real64), intent(inout), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call get_attr(object, name, AS_COMPLEX_64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_complex64_3(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    complex(real64), intent(inout), contiguous, target :: value(:, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, AS_COMPLEX_64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_read_complex64_4(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    complex(real64), intent(inout), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call get_attr(object, name, AS_COMPLEX_64, shape(value, kind=c_int64_t), c_loc(value), status)
  end subroutine

  subroutine dataset_read_complex64_4(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    complex(real64), intent(inout), contiguous, target :: value(:, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, AS_COMPLEX_64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine dataset_read_complex64_5(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    complex(real64), intent(inout), contiguous, target :: value(:, :, :, :, :)
    integer, intent(out), optional :: status
    call transfer_dataset(.true., dataset, AS_COMPLEX_64, shape(value, kind=c_int64_t), c_loc(value), &
      start, stride, status)
  end subroutine

  subroutine attr_write_logical_0(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    logical, intent(in) :: value
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, [value]))
    call put_attr(object, name, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
  end subroutine

  subroutine dataset_write_logical_0(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    logical, intent(in) :: value
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, [value]))
    call transfer_dataset(.false., dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_logical_0(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    logical, intent(in) :: value
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, [value]))
    call append_values(dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
  end subroutine

  subroutine attr_write_logical_1(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    logical, intent(in) :: value(:)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, pack(value, .true.)))
    call put_attr(object, name, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
  end subroutine

  subroutine dataset_write_logical_1(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    logical, intent(in) :: value(:)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, pack(value, .true.)))
    call transfer_dataset(.false., dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_logical_1(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    logical, intent(in) :: value(:)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, pack(value, .true.)))
    call append_values(dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
  end subroutine

  subroutine attr_write_logical_2(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    logical, intent(in) :: value(:, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, pack(value, .true.)))
    call put_attr(object, name, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
  end subroutine

  subroutine dataset_write_logical_2(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    logical, intent(in) :: value(:, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, pack(value, .true.)))
    call transfer_dataset(.false., dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_logical_2(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    logical, intent(in) :: value(:, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, pack(value, .true.)))
    call append_values(dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
  end subroutine

  subroutine attr_write_logical_3(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    logical, intent(in) :: value(:, :, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, pack(value, .true.)))
    call put_attr(object, name, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
  end subroutine

  subroutine dataset_write_logical_3(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    logical, intent(in) :: value(:, :, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, pack(value, .true.)))
    call transfer_dataset(.false., dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_logical_3(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    logical, intent(in) :: value(:, :, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, pack(value, .true.)))
    call append_values(dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
  end subroutine

  subroutine attr_write_logical_4(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    logical, intent(in) :: value(:, :, :, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, pack(value, .true.)))
    call put_attr(object, name, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
  end subroutine

  subroutine dataset_write_logical_4(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    logical, intent(in) :: value(:, :, :, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, pack(value, .true.)))
    call transfer_dataset(.false., dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_logical_4(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    logical, intent(in) :: value(:, :, :, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, pack(value, .true.)))
    call append_values(dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
  end subroutine

  subroutine dataset_write_logical_5(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    logical, intent(in) :: value(:, :, :, :, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, pack(value, .true.)))
    call transfer_dataset(.false., dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_logical_5(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    logical, intent(in) :: value(:, :, :, :, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, pack(value, .true.)))
    call append_values(dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
  end subroutine

  subroutine attr_read_logical_0(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    logical, intent(inout) :: value
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes(1))
    call get_attr(object, name, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
    if (present(status)) then
      if (status /= H5R_OK) return
    end if
    value = bytes(1) /= 0
  end subroutine

  subroutine dataset_read_logical_0(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    logical, intent(inout) :: value
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes(1))
    call transfer_dataset(.true., dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), &
      start, stride, status)
    if (present(status)) then
      if (status /= H5R_OK) return
    end if
    value = bytes(1) /= 0
  end subroutine

  subroutine attr_read_logical_1(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    logical, intent(inout) :: value(:)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes(size(value, kind=c_size_t)))
    call get_attr(object, name, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
    if (present(status)) then
      if (status /= H5R_OK) return
    end if
    value = reshape(bytes /= 0, shape(value))
  end subroutine

  subroutine dataset_read_logical_1(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    logical, intent(inout) :: value(:)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes(size(value, kind=c_size_t)))
    call transfer_dataset(.true., dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), &
      start, stride, status)
    if (present(status)) then
      if (status /= H5R_OK) return
    end if
    value = reshape(bytes /= 0, shape(value))
  end subroutine

  subroutine attr_read_logical_2(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    logical, intent(inout) :: value(:, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes(size(value, kind=c_size_t)))
    call get_attr(object, name, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
    if (present(status)) then
      if (status /= H5R_OK) return
    end if
    value = reshape(bytes /= 0, shape(value))
  end subroutine

  subroutine dataset_read_logical_2(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    logical, intent(inout) :: value(:, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes(size(value, kind=c_size_t)))
    call transfer_dataset(.true., dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), &
      start, stride, status)
    if (present(status)) then
      if (status /= H5R_OK) return
    end if
    value = reshape(bytes /= 0, shape(value))
  end subroutine

  subroutine attr_read_logical_3(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    logical, intent(inout) :: value(:, :, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes(size(value, kind=c_size_t)))
    call get_attr(object, name, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
    if (present(status)) then
      if (status /= H5R_OK) return
    end if
    value = reshape(bytes /= 0, shape(value))
  end subroutine

  subroutine dataset_read_logical_3(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    logical, intent(inout) :: value(:, :, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes(size(value, kind=c_size_t)))
    call transfer_dataset(.true., dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), &
      start, stride, status)
    if (present(status)) then
      if (status /= H5R_OK) return
    end if
    value = reshape(bytes /= 0, shape(value))
  end subroutine

  subroutine attr_read_logical_4(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    logical, intent(inout) :: value(:, :, :, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes(size(value, kind=c_size_t)))
    call get_attr(object, name, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
    if (present(status)) then
      if (status /= H5R_OK) return
    end if
    value = reshape(bytes /= 0, shape(value))
  end subroutine

  subroutine dataset_read_logical_4(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    logical, intent(inout) :: value(:, :, :, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes(size(value, kind=c_size_t)))
    call transfer_dataset(.true., dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), &
      start, stride, status)
    if (present(status)) then
      if (status /= H5R_OK) return
    end if
    value = reshape(bytes /= 0, shape(value))
  end subroutine

  subroutine dataset_read_logical_5(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    logical, intent(inout) :: value(:, :, :, :, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes(size(value, kind=c_size_t)))
    call transfer_dataset(.true., dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), &
      start, stride, status)
    if (present(status)) then
      if (status /= H5R_OK) return
    end if
    value = reshape(bytes /= 0, shape(value))
  end subroutine

  subroutine attr_write_bool_0(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    logical(c_bool), intent(in) :: value
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, [value]))
    call put_attr(object, name, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
  end subroutine

  subroutine dataset_write_bool_0(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    logical(c_bool), intent(in) :: value
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, [value]))
    call transfer_dataset(.false., dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_bool_0(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    logical(c_bool), intent(in) :: value
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, [value]))
    call append_values(dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
  end subroutine

  subroutine attr_write_bool_1(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    logical(c_bool), intent(in) :: value(:)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, pack(value, .true.)))
    call put_attr(object, name, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
  end subroutine

  subroutine dataset_write_bool_1(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    logical(c_bool), intent(in) :: value(:)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, pack(value, .true.)))
    call transfer_dataset(.false., dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_bool_1(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    logical(c_bool), intent(in) :: value(:)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, pack(value, .true.)))
    call append_values(dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
  end subroutine

  subroutine attr_write_bool_2(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    logical(c_bool), intent(in) :: value(:, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, pack(value, .true.)))
    call put_attr(object, name, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
  end subroutine

  subroutine dataset_write_bool_2(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    logical(c_bool), intent(in) :: value(:, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, pack(value, .true.)))
    call transfer_dataset(.false., dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_bool_2(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    logical(c_bool), intent(in) :: value(:, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, pack(value, .true.)))
    call append_values(dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
  end subroutine

  subroutine attr_write_bool_3(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    logical(c_bool), intent(in) :: value(:, :, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, pack(value, .true.)))
    call put_attr(object, name, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
  end subroutine

  subroutine dataset_write_bool_3(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    logical(c_bool), intent(in) :: value(:, :, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, pack(value, .true.)))
    call transfer_dataset(.false., dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_bool_3(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    logical(c_bool), intent(in) :: value(:, :, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, pack(value, .true.)))
    call append_values(dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
  end subroutine

  subroutine attr_write_bool_4(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    logical(c_bool), intent(in) :: value(:, :, :, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, pack(value, .true.)))
    call put_attr(object, name, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
  end subroutine

  subroutine dataset_write_bool_4(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    logical(c_bool), intent(in) :: value(:, :, :, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, pack(value, .true.)))
    call transfer_dataset(.false., dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_bool_4(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    logical(c_bool), intent(in) :: value(:, :, :, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, pack(value, .true.)))
    call append_values(dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
  end subroutine

  subroutine dataset_write_bool_5(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    logical(c_bool), intent(in) :: value(:, :, :, :, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, pack(value, .true.)))
    call transfer_dataset(.false., dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), &
      start, stride, status)
  end subroutine

  subroutine dataset_append_bool_5(dataset, value, status)
    type(h5r_object), intent(in) :: dataset
    logical(c_bool), intent(in) :: value(:, :, :, :, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes, source=merge(1_int8, 0_int8, pack(value, .true.)))
    call append_values(dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
  end subroutine

  subroutine attr_read_bool_0(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    logical(c_bool), intent(inout) :: value
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes(1))
    call get_attr(object, name, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
    if (present(status)) then
      if (status /= H5R_OK) return
    end if
    value = bytes(1) /= 0
  end subroutine

  subroutine dataset_read_bool_0(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    logical(c_bool), intent(inout) :: value
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes(1))
    call transfer_dataset(.true., dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), &
      start, stride, status)
    if (present(status)) then
      if (status /= H5R_OK) return
    end if
    value = bytes(1) /= 0
  end subroutine

  subroutine attr_read_bool_1(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    logical(c_bool), intent(inout) :: value(:)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes(size(value, kind=c_size_t)))
    call get_attr(object, name, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
    if (present(status)) then
      if (status /= H5R_OK) return
    end if
    value = reshape(bytes /= 0, shape(value))
  end subroutine

  subroutine dataset_read_bool_1(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    logical(c_bool), intent(inout) :: value(:)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes(size(value, kind=c_size_t)))
    call transfer_dataset(.true., dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), &
      start, stride, status)
    if (present(status)) then
      if (status /= H5R_OK) return
    end if
    value = reshape(bytes /= 0, shape(value))
  end subroutine

  subroutine attr_read_bool_2(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    logical(c_bool), intent(inout) :: value(:, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes(size(value, kind=c_size_t)))
    call get_attr(object, name, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
    if (present(status)) then
      if (status /= H5R_OK) return
    end if
    value = reshape(bytes /= 0, shape(value))
  end subroutine

  subroutine dataset_read_bool_2(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    logical(c_bool), intent(inout) :: value(:, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes(size(value, kind=c_size_t)))
    call transfer_dataset(.true., dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), &
      start, stride, status)
    if (present(status)) then
      if (status /= H5R_OK) return
    end if
    value = reshape(bytes /= 0, shape(value))
  end subroutine

  subroutine attr_read_bool_3(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    logical(c_bool), intent(inout) :: value(:, :, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes(size(value, kind=c_size_t)))
    call get_attr(object, name, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
    if (present(status)) then
      if (status /= H5R_OK) return
    end if
    value = reshape(bytes /= 0, shape(value))
  end subroutine

  subroutine dataset_read_bool_3(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    logical(c_bool), intent(inout) :: value(:, :, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes(size(value, kind=c_size_t)))
    call transfer_dataset(.true., dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), &
      start, stride, status)
    if (present(status)) then
      if (status /= H5R_OK) return
    end if
    value = reshape(bytes /= 0, shape(value))
  end subroutine

  subroutine attr_read_bool_4(object, name, value, status)
    type(h5r_object), intent(in) :: object
    character(*), intent(in) :: name
    logical(c_bool), intent(inout) :: value(:, :, :, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes(size(value, kind=c_size_t)))
    call get_attr(object, name, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), status)
    if (present(status)) then
      if (status /= H5R_OK) return
    end if
    value = reshape(bytes /= 0, shape(value))
  end subroutine

  subroutine dataset_read_bool_4(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    logical(c_bool), intent(inout) :: value(:, :, :, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes(size(value, kind=c_size_t)))
    call transfer_dataset(.true., dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), &
      start, stride, status)
    if (present(status)) then
      if (status /= H5R_OK) return
    end if
    value = reshape(bytes /= 0, shape(value))
  end subroutine

  subroutine dataset_read_bool_5(dataset, value, start, stride, status)
    type(h5r_object), intent(in) :: dataset
    integer, intent(in), optional :: start(:), stride(:)
    logical(c_bool), intent(inout) :: value(:, :, :, :, :)
    integer, intent(out), optional :: status
    integer(int8), allocatable, target :: bytes(:)
    allocate (bytes(size(value, kind=c_size_t)))
    call transfer_dataset(.true., dataset, AS_LOGICAL, shape(value, kind=c_int64_t), c_loc(bytes), &
      start, stride, status)
    if (present(status)) then
      if (status /= H5R_OK) return
    end if
    value = reshape(bytes /= 0, shape(value))
  end subroutine
! end procedures
end module h5r
