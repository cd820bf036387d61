! A simulation in Fortran: a field written step by step, described by attributes; old steps are dropped, and the file is
! read again.
program simulation
  use h5r
  use, intrinsic :: iso_fortran_env, only: int64, real64
  implicit none
  integer, parameter :: nx = 32, ny = 16, steps = 40, kept = 10
  character(len=256) :: path
  call get_command_argument(1, path)
  if (path == '') path = 'simulation.h5'
  call run()
  call drop_old_steps()
  call read_back()

contains

  function group_name(step) result(name)
    integer, intent(in) :: step
    character(len=9) :: name
    write (name, '(a, i4.4)') 'step_', step
  end function

  subroutine run()
    type(h5r_file) :: file
    type(h5r_object) :: dataset
    real(real64) :: field(nx, ny)
    integer :: step, i, j
    call h5r_create(path, file)
    call h5r_attr_write(h5r_root(file), 'title', 'heat on a plate')
    call h5r_attr_write(h5r_root(file), 'grid', [nx, ny])
    field = 0
    field(1, :) = 100
    do step = 1, steps
      field(2:nx - 1, 2:ny - 1) = 0.25_real64 * (field(1:nx - 2, 2:ny - 1) + field(3:nx, 2:ny - 1) &
        + field(2:nx - 1, 1:ny - 2) + field(2:nx - 1, 3:ny))
      call h5r_dataset_create(h5r_root(file), group_name(step)//'/temperature', H5R_F64, [nx, ny], dataset)
      call h5r_dataset_write(dataset, field)
      call h5r_attr_write(dataset, 'units', 'celsius')
      call h5r_attr_write(dataset, 'mean', sum(field) / size(field))
      call h5r_attr_write(dataset, 'corners', reshape([((field(i, j), i=1, nx, nx - 1), j=1, ny, ny - 1)], [2, 2]))
      call h5r_object_close(dataset)
    end do
    call h5r_close(file)
  end subroutine

  subroutine drop_old_steps()
    type(h5r_file) :: file
    integer :: step
    call h5r_open(path, file)
    call h5r_set_lazy(file)
    do step = 1, steps - kept
      call h5r_link_delete(h5r_root(file), group_name(step))
    end do
    call h5r_close(file)
  end subroutine

  subroutine read_back()
    type(h5r_file) :: file
    type(h5r_object) :: dataset
    real(real64) :: field(nx, ny), mean, column(1, ny)
    integer(int64) :: groups
    integer :: step
    character(len=20) :: title
    call h5r_open(path, file)
    call h5r_check(file)
    call h5r_link_count(h5r_root(file), groups)
    call h5r_attr_read(h5r_root(file), 'title', title)
    if (groups /= kept .or. title /= 'heat on a plate') error stop 'other groups than expected'
    do step = steps - kept + 1, steps
      call h5r_object_open(h5r_root(file), group_name(step)//'/temperature', dataset)
      call h5r_dataset_read(dataset, field)
      call h5r_attr_read(dataset, 'mean', mean)
      if (abs(mean - sum(field) / size(field)) > 1e-9_real64) error stop 'the mean differs'
      ! The second column of the plate alone: the section from (2, 1).
      call h5r_dataset_read(dataset, column, start=[2, 1])
      if (any(abs(column(1, :) - field(2, :)) > 0)) error stop 'a section differs'
      call h5r_object_close(dataset)
    end do
    call h5r_close(file)
    print '(a, i0, a, f0.4)', trim(title)//': ', groups, ' steps kept, the last mean is ', mean
  end subroutine
end program
