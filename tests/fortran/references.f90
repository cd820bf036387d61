! References from Fortran: to objects, attributes and elements, kept in a dataset and followed.
program references
  use, intrinsic :: iso_c_binding
  use, intrinsic :: iso_fortran_env, only: int8, int32, int64
  use h5r
  use checks
  implicit none
  type(h5r_file) :: file
  type(h5r_object) :: root
  ! Of a dataset of 8 by 6 elements: two blocks of 1 by 2, and three points.
  integer, parameter :: corners(2, 4) = reshape([3, 2, 3, 3, 7, 2, 7, 3], [2, 4])
  integer, parameter :: points(2, 3) = reshape([8, 6, 1, 1, 2, 4], [2, 3])

  call h5r_create('references_f.h5', file)
  root = h5r_root(file)
  call fill()
  call whole()
  call regions(H5R_REF_REGION)
  call regions(H5R_REF_STANDARD_REGION)
  call refused()
  call keep()
  call h5r_check(file)
  call h5r_close(file)
  call h5r_open('references_f.h5', file)
  root = h5r_root(file)
  call again()
  call h5r_close(file)

contains

  subroutine fill()
    type(h5r_object) :: group, grid
    call h5r_group_create(root, 'a', group)
    call h5r_object_close(group)
    call h5r_dataset_create(root, 'a/grid', H5R_I32, [8, 6], grid)
    call h5r_attr_write(grid, 'mark', 7)
    call h5r_object_close(grid)
  end subroutine

  subroutine whole()
    integer(int8), allocatable :: reference(:)
    integer(int64), allocatable :: places(:, :)
    character(:), allocatable :: text
    integer :: selected, status
    call h5r_reference_create(root, 'a/grid', H5R_REF_STANDARD_ATTR, reference, 'mark')
    call h5r_reference_attribute(root, H5R_REF_STANDARD_ATTR, reference, text)
    call check(text == 'mark' .and. len(text) == 4, 'the name of an attribute')
    call h5r_reference_path(root, H5R_REF_STANDARD_ATTR, reference, text)
    call check(text == '/a/grid', 'the object of an attribute')
    call h5r_reference_region(root, H5R_REF_STANDARD_OBJECT, reference, selected, places, status)
    call check(status == H5R_ERR_WRONG_KIND .and. size(places) == 0, 'an attribute is no region')
    call h5r_reference_create(root, 'a', H5R_REF_OBJECT, reference)
    call h5r_reference_attribute(root, H5R_REF_OBJECT, reference, text, status)
    call check(status == H5R_ERR_WRONG_KIND .and. text == '', 'a group is no attribute')
  end subroutine

  subroutine regions(kind)
    integer(int32), intent(in) :: kind
    integer(int8), allocatable :: reference(:)
    integer(int64), allocatable :: places(:, :)
    integer :: selected
    call h5r_reference_create(root, 'a/grid', kind, reference, &
      part=h5r_part(start=[3, 2], stride=[4, 3], count=[2, 1], block=[1, 2]))
    call h5r_reference_region(root, kind, reference, selected, places)
    call check(selected == H5R_SELECTED_BLOCKS .and. all(shape(places) == [2, 4]), 'two blocks')
    call check(all(places == corners), 'their corners')
    call h5r_reference_create_points(root, 'a/grid', kind, points, reference)
    call h5r_reference_region(root, kind, reference, selected, places)
    call check(selected == H5R_SELECTED_POINTS .and. all(shape(places) == [2, 3]), 'three points')
    call check(all(places == points), 'their coordinates')
    call h5r_reference_create(root, 'a/grid', kind, reference)
    call h5r_reference_region(root, kind, reference, selected, places)
    call check(selected == H5R_SELECTED_ALL .and. size(places) == 0, 'all elements')
  end subroutine

  subroutine refused()
    integer(int8), allocatable :: reference(:)
    integer :: status
    call h5r_reference_create_points(root, 'a/grid', H5R_REF_REGION, reshape([9, 1], [2, 1]), reference, status)
    call check(status == H5R_ERR_RANGE .and. size(reference) == 0, 'a point outside')
    call h5r_reference_create_points(root, 'a/grid', H5R_REF_REGION, reshape([1, 1], [1, 2]), reference, status)
    call check(status == H5R_ERR_ARGUMENT, 'points of another rank')
    call h5r_reference_create(root, 'a/grid', H5R_REF_OBJECT, reference, status=status, part=h5r_part(start=[1, 1]))
    call check(status == H5R_ERR_ARGUMENT, 'a part of an object')
  end subroutine

  subroutine keep()
    integer(int8), allocatable, target :: reference(:)
    type(h5r_object) :: holder
    integer(int64) :: type
    call h5r_reference_create_points(root, 'a/grid', H5R_REF_REGION, points, reference)
    call h5r_type_reference(H5R_REF_REGION, type)
    call h5r_dataset_create(root, 'regions', type, [1], holder)
    call h5r_dataset_write_as(holder, type, c_loc(reference))
    call h5r_object_close(holder)
    call h5r_type_close(type)
  end subroutine

  subroutine again()
    integer(int8), target :: reference(12)
    integer(int64), allocatable :: places(:, :)
    type(h5r_object) :: holder
    integer(int64) :: type
    integer :: selected
    call h5r_type_reference(H5R_REF_REGION, type)
    call h5r_object_open(root, 'regions', holder)
    call h5r_dataset_read_as(holder, type, c_loc(reference))
    call h5r_object_close(holder)
    call h5r_type_close(type)
    call h5r_reference_region(root, H5R_REF_REGION, reference, selected, places)
    call check(all(places == points), 'the points after opening again')
  end subroutine
end program
