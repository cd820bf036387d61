! What faces.py has the Fortran module write, and read of what h5py wrote: faces write|read FILE.
program faces
  use, intrinsic :: iso_c_binding
  use, intrinsic :: iso_fortran_env, only: int64, real32, real64
  use h5r
  implicit none
  logical, parameter :: bools(3) = [.true., .false., .true.]
  complex(real32), parameter :: singles(2) = [(1.0_real32, 2.0_real32), (3.0_real32, -4.0_real32)]
  complex(real64), parameter :: doubles(2) = [(0.5_real64, 2.0_real64), (3.0_real64, -4.25_real64)]
  character(1000) :: way, path
  type(h5r_file) :: file
  type(h5r_object) :: root
  type(h5r_open_options) :: options

  call get_command_argument(1, way)
  call get_command_argument(2, path)
  options%read_only = 1
  if (way == 'write') then
    call h5r_create(path, file)
  else
    call h5r_open(path, file, options)
  end if
  root = h5r_root(file)
  if (way == 'write') then
    call write_all()
  else
    call read_all()
  end if
  call h5r_close(file)

contains

  subroutine write_all()
    type(h5r_object) :: dataset
    call h5r_attr_write(root, 'yes', .true.)
    call h5r_attr_write(root, 'bools', bools)
    call h5r_attr_write(root, 'c64', singles)
    call h5r_attr_write(root, 'c128', doubles)
    dataset = created('bools', 0_int64, 3)
    call h5r_dataset_write(dataset, logical(bools, c_bool))
    dataset = created('c64', H5R_F32, 2)
    call h5r_dataset_write(dataset, singles)
    dataset = created('c128', H5R_F64, 2)
    call h5r_dataset_write(dataset, doubles)
  end subroutine

  ! A dataset of logical, or of complex of two `part`s.
  type(h5r_object) function created(name, part, elements)
    character(*), intent(in) :: name
    integer(int64), intent(in) :: part
    integer, intent(in) :: elements
    integer(int64) :: type
    if (part == 0) call h5r_type_logical(type)
    if (part /= 0) call h5r_type_complex_pair(part, type)
    call h5r_dataset_create(root, name, type, [elements], created)
    call h5r_type_close(type)
  end function

  subroutine read_all()
    logical :: yes, bools_back(3)
    complex(real32) :: singles_back(2)
    complex(real64) :: doubles_back(2)
    type(h5r_object) :: dataset
    call h5r_attr_read(root, 'yes', yes)
    if (.not. yes) error stop 'attribute yes'
    call h5r_attr_read(root, 'bools', bools_back)
    if (any(bools_back .neqv. bools)) error stop 'attribute bools'
    call h5r_attr_read(root, 'c64', singles_back)
    if (any(abs(singles_back - singles) > 0)) error stop 'attribute c64'
    call h5r_attr_read(root, 'c128', doubles_back)
    if (any(abs(doubles_back - doubles) > 0)) error stop 'attribute c128'
    call h5r_object_open(root, 'bools', dataset)
    bools_back = .not. bools
    call h5r_dataset_read(dataset, bools_back)
    if (any(bools_back .neqv. bools)) error stop 'dataset bools'
    call h5r_object_open(root, 'c64', dataset)
    singles_back = 0
    call h5r_dataset_read(dataset, singles_back)
    if (any(abs(singles_back - singles) > 0)) error stop 'dataset c64'
    call h5r_object_open(root, 'c128', dataset)
    doubles_back = 0
    call h5r_dataset_read(dataset, doubles_back)
    if (any(abs(doubles_back - doubles) > 0)) error stop 'dataset c128'
  end subroutine
end program
